import type { AccountId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import { formatCredits } from "@bursar/contract/money";
import { withTransaction } from "@bursar/database/transaction";
import type pg from "pg";
import { digestOf } from "../digest.ts";
import { type NoticeToTell, notify } from "../notice/notify.ts";
import { type ResetDeps, resetIfDue } from "../quota/reset.ts";
import { readStanding } from "../topup/standing.ts";
import { accountsLowByExpiry, type EffectRow, isLowByExpiry, type ToldEffect, takeEffects } from "./store.ts";

/** Does what commits have asked for outside the ledger, each once by whichever process takes it: a row leaves in the
 *  transaction that tells the account's people, and the operator reads it in the log. What a month's end took and the
 *  new month has brought again is no news. Returns how many. */
export async function deliverEffects(deps: ResetDeps): Promise<number> {
  for (const accountId of await accountsLowByExpiry(deps.pool)) await bringQuota(deps, accountId);
  const { count, told } = await withTransaction(deps.pool, async (client) => {
    const taken = await takeEffects(client);
    const news: EffectRow[] = [];
    for (const row of taken) if (await isNews(client, deps.clock.now(), row)) news.push(row);
    for (const row of news) await notify(client, deps.clock, noticeOf(row));
    return { count: taken.length, told: news };
  });
  for (const { accountId, kind, payload } of told) deps.log.warn({ accountId, ...payload }, MESSAGES[kind]);
  return count;
}

/** One account's trouble is not another's: it is told that it is low, which it is. */
async function bringQuota(deps: ResetDeps, accountId: AccountId): Promise<void> {
  try {
    await resetIfDue(deps, accountId);
  } catch (error) {
    deps.log.warn({ err: error, accountId }, "a quota did not come; the sweep tries again");
  }
}

async function isNews(client: pg.PoolClient, now: Instant, row: EffectRow): Promise<boolean> {
  if (!isLowByExpiry(row)) return true;
  const { net } = await readStanding(client, row.accountId, null, now);
  return net < BigInt(row.payload["alertBelow"] ?? "0");
}

const MESSAGES: Record<ToldEffect, string> = {
  balance_low: "balance below the account's alert",
  debt_incurred: "an account is in debt",
};

/** An effect's id names the command that crossed the line, so each crossing is told once. */
function noticeOf({ accountId, id, kind, payload }: EffectRow): NoticeToTell {
  const cause = digestOf(id);
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
