import type { Deps } from "../deps.ts";
import type { Effect } from "../ledger/book.ts";
import { takeEffects } from "./store.ts";

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
