import type { AccountId } from "@bursar/contract/ids";
import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import { withTransaction } from "@bursar/database/transaction";
import type pg from "pg";
import { grantsFromText } from "../ledger/grants-text.ts";

/** Runs `work` while no other process works on this account's allocations in this way. What it reads, it reads on the
 *  client that holds the turn: with another of the pool, as many at once as the pool is large would wait for one another.
 *  For administration only: the ledger itself needs no such turn. */
export function inTurn<Outcome>(
  pool: pg.Pool,
  accountId: AccountId,
  work: (client: pg.PoolClient) => Promise<Outcome>,
): Promise<Outcome> {
  return withTransaction(pool, async (client) => {
    await client.query("select pg_advisory_xact_lock(hashtextextended($1, 1))", [accountId]);
    return work(client);
  });
}

export interface Allocation {
  readonly id: string;
  readonly accountId: AccountId;
  readonly source: string;
  readonly granted: MicroCredits;
  readonly remaining: MicroCredits;
  readonly allocatedBy: string;
  readonly allocatedAt: Instant;
  readonly expiresAt: Instant | null;
  readonly notes: string | null;
}

/** Where a page of allocations ended. */
export interface AllocationCursor {
  readonly allocatedAt: Instant;
  readonly accountId: string;
  readonly id: string;
}

/** Grants of all accounts, the latest first. */
export async function listAllocations(
  pool: pg.Pool,
  request: { limit: number; after: AllocationCursor | null },
): Promise<Allocation[]> {
  const { limit, after } = request;
  const { rows } = await pool.query<Omit<Allocation, "remaining"> & { openGrants: string }>(
    `select g.grant_id as id, g.account_id as "accountId", g.source, g.granted, g.allocated_by as "allocatedBy",
       g.allocated_at as "allocatedAt", g.expires_at as "expiresAt", g.notes, a.grants as "openGrants"
     from grants g join accounts a using (account_id)
     where $1::timestamptz is null or (g.allocated_at, g.account_id, g.grant_id) < ($1, $2, $3)
     order by g.allocated_at desc, g.account_id desc, g.grant_id desc limit $4`,
    [
      after === null ? null : formatPostgresTimestamp(after.allocatedAt),
      after?.accountId ?? null,
      after?.id ?? null,
      limit,
    ],
  );
  return rows.map(({ openGrants, ...row }) => {
    const open = grantsFromText(openGrants).find((grant) => grant.id === row.id);
    return { ...row, remaining: open?.remaining ?? 0n };
  });
}
