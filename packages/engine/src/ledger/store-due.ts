import type { AccountId, GrantId, HoldId } from "@bursar/contract/ids";
import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type pg from "pg";

/** What one sweep takes at most. */
const SWEEP_LIMIT = 500;

/** Grants past their expiry that the ledger has not ended yet, the longest due first. */
export async function dueGrants(
  pool: pg.Pool,
  now: Instant,
): Promise<{ accountId: AccountId; grantId: GrantId }[]> {
  const { rows } = await pool.query<{ accountId: AccountId; grantId: GrantId }>(
    `select account_id as "accountId", grant_id as "grantId" from grant_expiries
     where expires_at <= $1 order by expires_at limit $2`,
    [formatPostgresTimestamp(now), SWEEP_LIMIT],
  );
  return rows;
}

/** Open holds past their expiry, the longest due first. */
export async function dueHolds(
  pool: pg.Pool,
  now: Instant,
): Promise<{ accountId: AccountId; holdId: HoldId }[]> {
  const { rows } = await pool.query<{ accountId: AccountId; holdId: HoldId }>(
    `select account_id as "accountId", hold_id as "holdId" from holds
     where expires_at <= $1 order by expires_at limit $2`,
    [formatPostgresTimestamp(now), SWEEP_LIMIT],
  );
  return rows;
}

/** Grants that had nothing left when their time came leave no entry, only the list of those to come. */
export async function forgetExpiries(
  pool: pg.Pool,
  grants: readonly { accountId: AccountId; grantId: GrantId }[],
): Promise<void> {
  if (grants.length === 0) return;
  await pool.query(
    `delete from grant_expiries t using unnest($1::text[], $2::text[]) as gone (account_id, grant_id)
     where t.account_id = gone.account_id and t.grant_id = gone.grant_id`,
    [grants.map((grant) => grant.accountId), grants.map((grant) => grant.grantId)],
  );
}
