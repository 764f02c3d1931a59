import type pg from "pg";
import type { Effect } from "../ledger/book.ts";

export interface EffectRow {
  accountId: string;
  kind: Effect["kind"];
  payload: Readonly<Record<string, string>>;
}

const DELIVERY_LIMIT = 200;

/** Takes the oldest effects out; rows that another process is taking are passed over. */
export async function takeEffects(pool: pg.Pool): Promise<EffectRow[]> {
  const { rows } = await pool.query<EffectRow>(
    `with due as (
       select account_id, effect_id from effects order by at limit $1 for update skip locked
     )
     delete from effects e using due where e.account_id = due.account_id and e.effect_id = due.effect_id
     returning e.account_id as "accountId", e.kind, e.payload`,
    [DELIVERY_LIMIT],
  );
  return rows;
}
