import type { AccountId } from "@bursar/contract/ids";
import type pg from "pg";
import type { Effect } from "../ledger/book.ts";
import { expiryKey } from "../ledger/key.ts";
import type { Queryable } from "../mail/store.ts";

/** Top-ups are wanted of another job (topup/). */
export type ToldEffect = Exclude<Effect["kind"], "topup_wanted">;

export interface EffectRow {
  accountId: AccountId;
  id: string;
  kind: ToldEffect;
  payload: Readonly<Record<string, string>>;
}

const DELIVERY_LIMIT = 200;

/** Takes the oldest of them out, for good when the caller's transaction commits; rows that another process is taking
 *  are passed over. */
export async function takeEffects(queryable: Queryable): Promise<EffectRow[]> {
  const { rows } = await queryable.query<EffectRow>(
    `with due as (
       select account_id, effect_id from effects where kind <> 'topup_wanted'
       order by at limit $1 for update skip locked
     )
     delete from effects e using due where e.account_id = due.account_id and e.effect_id = due.effect_id
     returning e.account_id as "accountId", e.effect_id as id, e.kind, e.payload`,
    [DELIVERY_LIMIT],
  );
  return rows;
}

/** An effect's id ends with the key of the command that caused it; this is what the sweep's begin with. */
const BY_EXPIRY = `balance_low ${expiryKey("")}`;

export function isLowByExpiry({ id }: Pick<EffectRow, "id">): boolean {
  return id.startsWith(BY_EXPIRY);
}

/** Whose balance fell below the alert because credits expired, and who has not been told. */
export async function accountsLowByExpiry(pool: pg.Pool): Promise<AccountId[]> {
  const { rows } = await pool.query<{ id: AccountId }>(
    `select account_id as id from effects where starts_with(effect_id, $1) order by at limit $2`,
    [BY_EXPIRY, DELIVERY_LIMIT],
  );
  return rows.map(({ id }) => id);
}
