import { setTimeout as delay } from "node:timers/promises";
import type { Pool, PoolClient } from "pg";

const DEFAULT_ATTEMPTS = 8;
const FIRST_DELAY_MILLISECONDS = 5;
const LONGEST_DELAY_MILLISECONDS = 500;

/** `serialization_failure` and `deadlock_detected`: nothing was written, and the same work may well succeed now. */
const RETRYABLE_CODES = new Set(["40001", "40P01"]);

/** Commits what `work` did, or nothing of it when `work` throws. Read committed; no retries.
 *  Throws: whatever `work` throws; database unreachable. */
export function withTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  return runTransaction(pool, "begin", work);
}

/** Several reads of one moment: what one of them counts, another lists. Nothing is locked, and nothing can be written.
 *  Throws: whatever `work` throws; database unreachable. */
export function withSnapshot<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  return runTransaction(pool, "begin isolation level repeatable read read only", work);
}

/** For the rare decision over several rows outside the ledger. `work` may run several times, so it must do nothing
 *  that the rollback does not undo.
 *  Throws: whatever `work` throws; the last conflict after `attempts`; database unreachable. */
export async function withSerializableTransaction<T>(
  pool: Pool,
  work: (client: PoolClient) => Promise<T>,
  options: { attempts?: number } = {},
): Promise<T> {
  const attempts = options.attempts ?? DEFAULT_ATTEMPTS;
  for (let attempt = 1; ; attempt++) {
    try {
      return await runTransaction(pool, "begin isolation level serializable", work);
    } catch (error) {
      if (attempt >= attempts || !isRetryable(error)) throw error;
    }
    await delay(backoffMilliseconds(attempt));
  }
}

async function runTransaction<T>(
  pool: Pool,
  begin: string,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let broken = false;
  try {
    await client.query(begin);
    const result = await work(client);
    await commit(client);
    return result;
  } catch (error) {
    broken = !(await rollBack(client));
    throw error;
  } finally {
    client.release(broken);
  }
}

/** Postgres answers the `commit` of a transaction in which a statement failed with a quiet rollback. Whoever swallowed
 *  that statement's error must not be told that the work is done. */
async function commit(client: PoolClient): Promise<void> {
  const { command } = await client.query("commit");
  if (command !== "COMMIT") throw new Error("the transaction was rolled back: a statement in it had failed");
}

/** False when the connection can no longer be trusted to be outside a transaction. */
async function rollBack(client: PoolClient): Promise<boolean> {
  try {
    await client.query("rollback");
    return true;
  } catch {
    return false;
  }
}

function isRetryable(error: unknown): boolean {
  return error instanceof Error && "code" in error && RETRYABLE_CODES.has(String(error.code));
}

/** Doubles, with full jitter: those who collided must not meet again. */
function backoffMilliseconds(attempt: number): number {
  const ceiling = Math.min(LONGEST_DELAY_MILLISECONDS, FIRST_DELAY_MILLISECONDS * 2 ** attempt);
  return Math.random() * ceiling;
}
