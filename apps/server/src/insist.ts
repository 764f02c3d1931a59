import { setTimeout as delay } from "node:timers/promises";
import { isUnavailable } from "@bursar/engine/ledger/unavailable";

const PATIENCE_MILLISECONDS = 30_000;
const PAUSE_MILLISECONDS = 100;

/** Before that, it is not worth a word. */
const QUIET_MILLISECONDS = 1000;

/** A wrong password, no such database, one that may only be read, or no Postgres but something like it: waiting mends
 *  none of them. */
const HOPELESS = /^(28|3D|25006|08P01)/;

/** Does what a start needs again while the database is only slow or still away, as on a machine that is busy with
 *  starting everything at once: requests hear no after two seconds, a start has time. `work` must bear to be repeated.
 *  Throws: whatever else `work` throws; the database is still away after half a minute. */
export async function insist<T>(work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  let isSaid = false;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const waited = performance.now() - startedAt;
      if (!isUnavailable(error) || isHopeless(error) || waited > PATIENCE_MILLISECONDS) throw error;
      if (!isSaid && waited > QUIET_MILLISECONDS) {
        isSaid = true;
        process.stderr.write(`waiting for the database: ${reasonOf(error)}\n`);
      }
    }
    await delay(PAUSE_MILLISECONDS);
  }
}

/** What to print of a start that failed: one line where the database, or the folder for data, is what is wrong. */
export function startFailure(error: unknown): string {
  if (isAboutFolder(error))
    return `BURSAR_DATA_DIR: ${reasonOf(error)}; it must be a folder that this user may write to, with space left`;
  if (isUnavailable(error)) return `DATABASE_URL: the database cannot be used: ${reasonOf(error)}`;
  return `bursar could not start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}

function isAboutFolder(error: unknown): boolean {
  if (!(error instanceof Error) || !("path" in error) || !("code" in error)) return false;
  return /^(EACCES|EPERM|EROFS|ENOSPC|ENOTDIR|EEXIST)$/.test(String(error.code));
}

function isHopeless(error: unknown): boolean {
  return error instanceof Error && "code" in error && HOPELESS.test(String(error.code));
}

/** Several addresses of one name fail together, and without words of their own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join("; ");
  return error instanceof Error ? error.message : String(error);
}
