import type { AccountId, GrantId } from "@bursar/contract/ids";
import { formatNullableTimestamp, formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type pg from "pg";
import type { GrantSource } from "../ledger/kinds.ts";
import type { Queryable } from "../mail/store.ts";

/** A grant that something else than the ledger has decided. Its id names what it is for (`gift:gift_…`), so that it is
 *  granted once, however often it is tried. */
export interface PromisedGrant {
  readonly accountId: AccountId;
  readonly id: GrantId;
  readonly amount: MicroCredits;
  readonly source: GrantSource;
  readonly expiresAt: Instant | null;
  readonly notes: string;
  readonly reference: string;
  readonly by: string;
}

export async function insertPromise(
  queryable: Queryable,
  { accountId, id, amount, source, expiresAt, notes, reference, by }: PromisedGrant,
  at: Instant,
): Promise<void> {
  await queryable.query(
    `insert into promised_grants
       (account_id, grant_id, amount, source, expires_at, notes, reference, promised_by, at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      ...[accountId, id, amount, source, formatNullableTimestamp(expiresAt)],
      ...[notes, reference, by, formatPostgresTimestamp(at)],
    ],
  );
}

/** The oldest that are still to be kept. */
export async function listPromises(pool: pg.Pool, limit: number): Promise<PromisedGrant[]> {
  const { rows } = await pool.query<PromisedGrant>(
    `select account_id as "accountId", grant_id as id, amount, source, expires_at as "expiresAt", notes, reference,
       promised_by as by
     from promised_grants where refused is null order by at limit $1`,
    [limit],
  );
  return rows;
}

type Named = Pick<PromisedGrant, "accountId" | "id">;

/** The ledger has it. */
export async function deletePromise(pool: pg.Pool, { accountId, id }: Named): Promise<void> {
  await pool.query("delete from promised_grants where account_id = $1 and grant_id = $2", [accountId, id]);
}

export async function refusePromise(pool: pg.Pool, { accountId, id }: Named, why: string): Promise<void> {
  await pool.query("update promised_grants set refused = $3 where account_id = $1 and grant_id = $2", [
    accountId,
    id,
    why,
  ]);
}
