import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { THROWAWAY_SETTINGS } from "../embedded/settings.ts";
import { startEmbeddedPostgres } from "../embedded.ts";
import { CLUSTER_URL } from "./provided-context.ts";

/** Vitest's global set-up: one cluster a run. Vitest calls what it returns at the end, also after failures and Ctrl-C;
 *  if vitest itself is killed, the cluster ends and its folder goes with it all the same. */
export default async function startCluster(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = await mkdtemp(join(tmpdir(), "bursar-test-"));
  const cluster = await startEmbeddedPostgres({ dataDir, settings: THROWAWAY_SETTINGS, temporary: true });
  project.provide(CLUSTER_URL, cluster.url);
  return () => cluster.stop();
}
