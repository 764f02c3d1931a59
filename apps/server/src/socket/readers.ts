import type { AccountId } from "@bursar/contract/ids";
import { credits, iso } from "@bursar/contract/shapes";
import type { PushOf, Topic } from "@bursar/contract/socket/topics";
import { balanceOf } from "@bursar/engine/balance/balance";
import { listOpenHolds } from "@bursar/engine/hold/store";
import { readAccount } from "@bursar/engine/ledger/store-load";
import { entriesBefore } from "@bursar/engine/ledger/store-read";
import { listNotices } from "@bursar/engine/notice/store";
import { listPayments } from "@bursar/engine/payment/store";
import type { RestDeps } from "../rest/context.ts";
import { entryAnswer } from "../rest/history.ts";
import { noticeAnswer } from "../rest/notices.ts";
import { answersOf } from "../rest/payments.ts";

export interface ReaderDeps extends Pick<RestDeps, "pool" | "clock"> {
  readonly identity: Pick<RestDeps["identity"], "url">;
}

/** The present state of each topic; null where the account does not exist. */
export const READERS: {
  readonly [Name in Topic]: (deps: ReaderDeps, id: AccountId) => Promise<PushOf<Name> | null>;
} = {
  balance: async ({ pool, clock }, accountId) => {
    const account = await readAccount(pool, accountId);
    if (account === null) return null;
    const { available, held, owed, net, frozen, nextExpiry } = balanceOf(account, null, clock.now());
    return {
      accountId,
      seq: Number(account.seq),
      available: credits(available),
      held: credits(held),
      owed: credits(owed),
      net: credits(net),
      frozen,
      nextExpiry:
        nextExpiry === null ? null : { at: iso(nextExpiry.at)!, amount: credits(nextExpiry.amount) },
    };
  },
  holds: async ({ pool }, accountId) => {
    const holds = await listOpenHolds(pool, accountId, LISTED_HOLDS);
    return {
      accountId,
      holds: holds.map(({ id, parentId, amount, reported, feature, createdAt, expiresAt }) => ({
        ...{ id, parentId, feature },
        amount: credits(amount),
        reported: credits(reported),
        createdAt: iso(createdAt)!,
        expiresAt: iso(expiresAt),
      })),
    };
  },
  entries: async ({ pool }, accountId) => {
    const entries = await entriesBefore(pool, accountId, null, LISTED_ENTRIES);
    return { accountId, entries: entries.map(entryAnswer) };
  },
  notices: async ({ pool }, accountId) => {
    const page = { isUnreadOnly: false, before: null, limit: LISTED_NOTICES };
    const { notices, unread } = await listNotices(pool, accountId, page);
    return { accountId, unread, notices: notices.map(noticeAnswer) };
  },
  payments: async (deps, accountId) => {
    const page = { accountId, kind: null, limit: LISTED_PAYMENTS, after: null };
    const payments = await listPayments(deps.pool, page);
    return { accountId, payments: await answersOf(deps, accountId, payments) };
  },
};

const LISTED_HOLDS = 100;
const LISTED_ENTRIES = 20;
const LISTED_NOTICES = 20;
const LISTED_PAYMENTS = 20;
