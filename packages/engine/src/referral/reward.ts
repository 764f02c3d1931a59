import type { AccountId, GrantId } from "@bursar/contract/ids";
import { formatCredits } from "@bursar/contract/money";
import { withSerializableTransaction } from "@bursar/database/transaction";
import type { Deps } from "../deps.ts";
import { digestOf } from "../digest.ts";
import { keepPromise, promiseGrant } from "../grant/promise.ts";
import type { PromisedGrant } from "../grant/store-promised.ts";
import { purchasedBy } from "../grant/store-purchased.ts";
import { type NoticeToTell, notify } from "../notice/notify.ts";
import { type Condition, nextLook, REWARD, REWARD_LIMIT } from "./decide.ts";
import { closeReferral, type DueReferral, lookAgain, readOpenReferral, takeDueReferrals } from "./store.ts";

export interface ReferralTerms {
  readonly condition: Condition;
  /** Whether somebody has proved the mailbox of the person whose account this is; the engine knows no people. */
  readonly hasVerifiedMail: (accountId: AccountId) => Promise<boolean>;
}

type RewardDeps = Pick<Deps, "ledger" | "pool" | "clock" | "log">;

const BATCH = 50;

/** Rewards the referrals whose condition is met by now. Any number of processes may do it: each referral closes once.
 *  Returns how many it has looked at. */
export async function rewardReferrals(deps: RewardDeps, terms: ReferralTerms): Promise<number> {
  const due = await takeDueReferrals(deps.pool, deps.clock.now(), BATCH);
  for (const referral of due) {
    if (await hasQualified(deps, terms, referral.accountId)) await reward(deps, referral);
    else await lookAgain(deps.pool, referral.accountId, nextLook(referral.at, deps.clock.now()));
  }
  return due.length;
}

async function hasQualified(
  deps: Pick<Deps, "pool">,
  { condition, hasVerifiedMail }: ReferralTerms,
  accountId: AccountId,
): Promise<boolean> {
  switch (condition) {
    case "purchase":
      return (await purchasedBy(deps.pool, accountId)) > 0n;
    case "verified_mail":
      return hasVerifiedMail(accountId);
  }
}

/** Closes the referral: both get their credits, or, beyond the referrer's limit, neither. */
async function reward(deps: RewardDeps, { accountId, referrerId }: DueReferral): Promise<void> {
  const promises = [
    rewardFor(accountId, `referral:${accountId}:brought`, accountId),
    rewardFor(referrerId, `referral:${accountId}:referrer`, accountId),
  ];
  const isRewarded = await withSerializableTransaction(deps.pool, async (client) => {
    const open = await readOpenReferral(client, accountId);
    if (open === null) return false;
    const state = open.rewarded < REWARD_LIMIT ? "rewarded" : "unrewarded";
    await closeReferral(client, { accountId, state, at: deps.clock.now() });
    if (state === "unrewarded") return false;
    for (const promised of promises) {
      await promiseGrant(deps, client, promised);
      await notify(client, deps.clock, noticeOf(promised));
    }
    return true;
  });
  if (isRewarded) await Promise.all(promises.map((promised) => keepPromise(deps, promised)));
}

function rewardFor(accountId: AccountId, id: string, reference: string): PromisedGrant {
  const terms = { source: "referral", expiresAt: null, notes: "Referral", by: "system:referral" } as const;
  return { accountId, id: id as GrantId, amount: REWARD, reference, ...terms };
}

function noticeOf({ accountId, id, amount }: PromisedGrant): NoticeToTell {
  const reward = formatCredits(amount);
  // An account's id may be as long as a notice's.
  const cause = digestOf(id);
  const text = `A referral was rewarded: ${reward} credits are yours, and as many belong to the other of the two.`;
  const details = { grantId: id, amount: reward };
  return {
    id: `referral_reward:${cause}`,
    accountId,
    kind: "referral_reward",
    title: "Credits for a referral",
    text,
    details,
    mail: true,
  };
}
