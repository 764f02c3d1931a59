import type pg from "pg";
import type { Deps } from "../deps.ts";
import type { Effect } from "../ledger/book.ts";

interface EffectRow {
  accountId: string;
  kind: Effect["kind"];
  payload: Readonly<Record<string, string>>;
}

const DELIVERY_LIMIT = 200;

/** Does what commits have asked for outside the ledger, each once by whichever process takes it: a row leaves in the
 *  transaction that hands it on. Today both kinds are told to the operator, in the log. Returns how many. */
export async function deliverEffects(deps: Pick<Deps, "pool" | "log">): Promise<number> {
  const rows = await takeEffects(deps.pool);
  for (const { accountId, kind, payload } of rows) deps.log.warn({ accountId, ...payload }, MESSAGES[kind]);
  return rows.length;
}

const MESSAGES: Record<Effect["kind"], string> = {
  balance_low: "balance below the account's alert",
  debt_incurred: "an account is in debt",
};

async function takeEffects(pool: pg.Pool): Promise<EffectRow[]> {
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
