import { credits, iso } from "@bursar/contract/shapes";
import { withSnapshot } from "@bursar/database/transaction";
import { findAccount } from "@bursar/engine/account/store";
import { REWARD, REWARD_LIMIT } from "@bursar/engine/referral/decide";
import * as store from "@bursar/engine/referral/store";
import { referralCode, trackReferral as track } from "@bursar/engine/referral/track";
import { codeRefused, refusedToOrganizations } from "./codes.ts";
import type { Handler } from "./context.ts";
import { refused } from "./problem.ts";

export const getReferrals: Handler<"getReferrals"> = async ({ deps, accountId }) => {
  const { pool, referralCondition: condition = "purchase" } = deps;
  if ((await findAccount(pool, accountId)) === null) return refused({ kind: "account_unknown", accountId });
  const { code, counts, referrals, broughtBy } = await withSnapshot(pool, async (client) => ({
    code: await store.findCode(client, accountId),
    counts: await store.countReferrals(client, accountId),
    referrals: await store.listReferrals(client, accountId),
    broughtBy: await store.findReferral(client, accountId),
  }));
  const terms = { code, condition, reward: credits(REWARD), limit: REWARD_LIMIT };
  const list = referrals.map(({ state, at, closedAt }) => ({ state, at: iso(at)!, closedAt: iso(closedAt) }));
  const by = broughtBy === null ? null : { state: broughtBy.state, at: iso(broughtBy.at)! };
  const earned = credits(REWARD * BigInt(counts.rewarded));
  return { answer: { ...terms, ...counts, earned, referrals: list, broughtBy: by } };
};

export const makeReferralCode: Handler<"makeReferralCode"> = async ({ deps, accountId }) => {
  const refusal = refusedToOrganizations(accountId, "referral");
  if (refusal !== null) return refusal;
  const code = await referralCode(deps, accountId);
  return code === null ? refused({ kind: "account_unknown", accountId }) : { answer: { code } };
};

export const trackReferral: Handler<"trackReferral"> = async ({ deps, accountId, body }) => {
  const refusal = refusedToOrganizations(accountId, "referral");
  if (refusal !== null) return refusal;
  const { referralCondition: condition = "purchase" } = deps;
  const outcome = await track(deps, condition, { accountId, code: body.code });
  if (outcome.kind !== "tracked") return codeRefused(outcome);
  return { repeated: outcome.duplicate, answer: { state: outcome.state, reward: credits(REWARD) } };
};
