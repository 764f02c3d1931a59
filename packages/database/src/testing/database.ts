import { join } from "node:path";
import { inject } from "vitest";
import { CLUSTER_URL } from "./provided-context.ts";
import { createDatabaseFromTemplate, type TestDatabase } from "./template.ts";

export type { TestDatabase } from "./template.ts";

/** The product's own schema. */
export const ENGINE_MIGRATIONS = join(import.meta.dirname, "../../../engine/migrations");

/** A database for one test file, in the run's cluster. Needs vitest with this repository's configuration; elsewhere
 *  use `createDatabaseFromTemplate`. */
export function createTestDatabase(options: { directory?: string } = {}): Promise<TestDatabase> {
  const directory = options.directory ?? ENGINE_MIGRATIONS;
  return createDatabaseFromTemplate({ clusterUrl: inject(CLUSTER_URL), directory });
}
