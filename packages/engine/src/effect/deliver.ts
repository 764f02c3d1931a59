import { createHash } from "node:crypto";
import { formatCredits } from "@bursar/contract/money";
import { withTransaction } from "@bursar/database/transaction";
import type { Deps } from "../deps.ts";
import { type NoticeToTell, notify } from "../notice/notify.ts";
import { type EffectRow, type ToldEffect, takeEffects } from "./store.ts";

/** Does what commits have asked for outside the ledger, each once by whichever process takes it: a row leaves in the
 *  transaction that tells the account's people, and the operator reads it in the log. Returns how many. */
export async function deliverEffects(deps: Pick<Deps, "pool" | "clock" | "log">): Promise<number> {
  const rows = await withTransaction(deps.pool, async (client) => {
    const taken = await takeEffects(client);
    for (const row of taken) await notify(client, deps.clock, noticeOf(row));
    return taken;
  });
  for (const { accountId, kind, payload } of rows) deps.log.warn({ accountId, ...payload }, MESSAGES[kind]);
  return rows.length;
}

const MESSAGES: Record<ToldEffect, string> = {
  balance_low: "balance below the account's alert",
  debt_incurred: "an account is in debt",
};

/** An effect's id names the command that crossed the line, so each crossing is told once. */
function noticeOf({ accountId, id, kind, payload }: EffectRow): NoticeToTell {
  const cause = createHash("sha256").update(id).digest("hex").slice(0, 32);
  const amounts = Object.fromEntries(
    Object.entries(payload).map(([name, micro]) => [name, formatCredits(BigInt(micro))]),
  );
  return { accountId, details: amounts, mail: true, ...WORDS[kind](amounts, cause) };
}

type Words = Pick<NoticeToTell, "id" | "kind" | "title" | "text">;

const WORDS: Record<ToldEffect, (amounts: Record<string, string>, cause: string) => Words> = {
  balance_low: ({ net, alertBelow }, cause) => ({
    id: `credit_warning:${cause}`,
    kind: "credit_warning",
    title: "Credits are running low",
    text: `The balance is ${net} credits, below the alert at ${alertBelow} credits.`,
  }),
  debt_incurred: ({ owed }, cause) => ({
    id: `debt_incurred:${cause}`,
    kind: "debt_incurred",
    title: "The account is in debt",
    text: `Work cost more than was there: ${owed} credits are owed. Nothing new can be used until they are paid; credits that arrive pay them first.`,
  }),
};
