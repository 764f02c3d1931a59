import { rm } from "node:fs/promises";
import { openFolder } from "./embedded/folder.ts";
import { claimOwnership } from "./embedded/owner.ts";
import type { EmbeddedPostgres, EmbeddedRequest } from "./embedded/postgres.ts";
import { startOwned } from "./embedded/running.ts";

/** Runs Postgres as part of this process: nothing to install, nobody else can connect, and it ends with us, whether
 *  we call `stop` or are killed.
 *  Throws: the folder is in use by another process, or is not ours; no way to run Postgres here; Postgres says no,
 *  with the end of its log. */
export async function startEmbeddedPostgres(request: EmbeddedRequest): Promise<EmbeddedPostgres> {
  const folder = await openFolder(request.dataDir);
  const ownership = await claimOwnership(folder.ownerLock);
  try {
    return await startOwned(request, folder, ownership);
  } catch (error) {
    ownership.release();
    if (request.temporary === true) await rm(folder.root, { recursive: true, force: true, maxRetries: 20 });
    throw error;
  }
}
