import type { AccountId } from "@bursar/contract/ids";
import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type pg from "pg";

/** Notes, before the provider is asked, that the account's method is to be removed: afterwards nothing there says whose
 *  it was. */
export async function noteRemoval(
  pool: pg.Pool,
  accountId: AccountId,
  methodId: string,
  now: Instant,
): Promise<void> {
  await pool.query(
    `insert into payment_method_removals (account_id, method_id, at) values ($1, $2, $3)
     on conflict do nothing`,
    [accountId, methodId, formatPostgresTimestamp(now)],
  );
}

export async function wasRemoved(pool: pg.Pool, accountId: AccountId, methodId: string): Promise<boolean> {
  const { rowCount } = await pool.query(
    "select from payment_method_removals where account_id = $1 and method_id = $2",
    [accountId, methodId],
  );
  return rowCount !== 0;
}
