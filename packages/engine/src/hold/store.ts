import type { AccountId, HoldId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type pg from "pg";

export interface ListedHold {
  readonly id: HoldId;
  readonly parentId: HoldId | null;
  readonly amount: MicroCredits;
  readonly reported: MicroCredits;
  readonly feature: string | null;
  readonly createdAt: Instant;
  readonly expiresAt: Instant | null;
}

/** The account's open holds, the newest first. */
export async function listOpenHolds(
  pool: pg.Pool,
  accountId: AccountId,
  limit: number,
): Promise<ListedHold[]> {
  const { rows } = await pool.query<ListedHold>(
    `select hold_id as id, parent_id as "parentId", amount, reported, feature, created_at as "createdAt",
       expires_at as "expiresAt"
     from holds where account_id = $1 order by created_at desc, hold_id limit $2`,
    [accountId, limit],
  );
  return rows;
}

/** The account's open holds whose ids begin so. */
export async function holdsNamed(
  pool: pg.Pool,
  accountId: AccountId,
  prefix: string,
): Promise<Pick<ListedHold, "id" | "reported">[]> {
  const { rows } = await pool.query<Pick<ListedHold, "id" | "reported">>(
    `select hold_id as id, reported from holds where account_id = $1 and starts_with(hold_id, $2) order by hold_id`,
    [accountId, prefix],
  );
  return rows;
}

/** How many holds an account has open whose ids do not begin so, and how many whose do. */
export async function countOpenHolds(
  pool: pg.Pool,
  accountId: AccountId,
  prefix: string,
): Promise<{ readonly others: number; readonly named: number }> {
  const { rows } = await pool.query<{ others: number; named: number }>(
    `select (count(*) filter (where not starts_with(hold_id, $2)))::int4 as others,
       (count(*) filter (where starts_with(hold_id, $2)))::int4 as named
     from holds where account_id = $1`,
    [accountId, prefix],
  );
  return rows[0]!;
}
