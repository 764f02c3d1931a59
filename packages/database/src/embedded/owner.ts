import { readFile, writeFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { StartError } from "../start-error.ts";

/** Held by the one process that may run Postgres on a folder. */
export interface Ownership {
  release(): void;
}

const SQLITE_BUSY = 5;

/** The kernel takes some time to bury a killed process, and only then frees its locks. */
const PATIENCE_MILLISECONDS = 1000;
const POLL_MILLISECONDS = 20;

/** Claims a folder by locking a file in it. The kernel gives the lock to one process only and takes it back when that
 *  process ends, however it dies: nothing can be left behind, and no reused process id can pass for the owner. Node
 *  has no file locks of its own; SQLite's are the same everywhere.
 *  Throws: another living process has it, with its process id. */
export async function claimOwnership(lockFile: string): Promise<Ownership> {
  const deadline = Date.now() + PATIENCE_MILLISECONDS;
  for (;;) {
    const database = tryLock(lockFile);
    if (database !== null) {
      await writeFile(ownerFile(lockFile), String(process.pid));
      return { release: () => database.close() };
    }
    if (Date.now() > deadline) {
      throw new StartError(
        `${lockFile} is held by process ${await readOwner(lockFile)}; stop that one first`,
      );
    }
    await delay(POLL_MILLISECONDS);
  }
}

/** Null when somebody has it. */
function tryLock(lockFile: string): DatabaseSync | null {
  const database = new DatabaseSync(lockFile);
  try {
    database.exec("pragma journal_mode = off; begin exclusive");
    return database;
  } catch (error) {
    database.close();
    if (isBusy(error)) return null;
    throw error;
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY;
}

/** For people only; the lock is what counts. */
function readOwner(lockFile: string): Promise<string> {
  return readFile(ownerFile(lockFile), "utf8").catch(() => "(unknown)");
}

function ownerFile(lockFile: string): string {
  return `${lockFile}.pid`;
}
