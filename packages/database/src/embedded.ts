import { rm } from "node:fs/promises";
import { openFolder } from "./embedded/folder.ts";
import { claimOwnership } from "./embedded/owner.ts";
import { startOwned } from "./embedded/running.ts";
import type { PostgresSettings } from "./embedded/settings.ts";
import type { Log } from "./log.ts";

export interface EmbeddedPostgres {
  /** Logs in as the superuser. Holds the password. */
  readonly url: string;
  readonly socketDirectory: string;
  readonly pid: number;
  /** A fast shutdown: open transactions are rolled back, nothing acknowledged is lost. At most about 25 seconds. */
  stop(): Promise<void>;
}

export interface EmbeddedRequest {
  /** A folder of its own; made when missing. Holds the cluster, its password and its log. */
  readonly dataDir: string;
  /** Over the defaults, which suit a small ledger machine. */
  readonly settings?: PostgresSettings;
  readonly log?: Log;
  /** Delete the folder when Postgres ends, even if our process has been killed. For tests. */
  readonly temporary?: boolean;
}

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
