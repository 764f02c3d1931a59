import { credits, iso } from "@bursar/contract/shapes";
import { findAccount } from "@bursar/engine/account/store";
import { organizationOfAccount } from "@bursar/engine/organization/turn";
import { REWARD, REWARD_LIMIT } from "@bursar/engine/referral/decide";
import * as store from "@bursar/engine/referral/store";
import { referralCode, trackReferral as track } from "@bursar/engine/referral/track";
import { codeRefused } from "./codes.ts";
import type { Handler } from "./context.ts";
import { type Problem, refused } from "./problem.ts";

export const getReferrals: Handler<"getReferrals"> = async ({ deps, accountId }) => {
  const { pool, referralCondition: condition = "purchase" } = deps;
  if ((await findAccount(pool, accountId)) === null) return refused({ kind: "account_unknown", accountId });
  const [code, counts, referrals, broughtBy] = await Promise.all([
    store.findCode(pool, accountId),
    store.countReferrals(pool, accountId),
    store.listReferrals(pool, accountId),
    store.findReferral(pool, accountId),
  ]);
  const terms = { code, condition, reward: credits(REWARD), limit: REWARD_LIMIT };
  const list = referrals.map(({ state, at, closedAt }) => ({ state, at: iso(at)!, closedAt: iso(closedAt) }));
  const by = broughtBy === null ? null : { state: broughtBy.state, at: iso(broughtBy.at)! };
  const earned = credits(REWARD * BigInt(counts.rewarded));
  return { answer: { ...terms, ...counts, earned, referrals: list, broughtBy: by } };
};

export const makeReferralCode: Handler<"makeReferralCode"> = async ({ deps, accountId }) => {
  if (organizationOfAccount(accountId) !== null) return notForOrganizations;
  const code = await referralCode(deps, accountId);
  return code === null ? refused({ kind: "account_unknown", accountId }) : { answer: { code } };
};

export const trackReferral: Handler<"trackReferral"> = async ({ deps, accountId, body }) => {
  if (organizationOfAccount(accountId) !== null) return notForOrganizations;
  const { referralCondition: condition = "purchase" } = deps;
  const outcome = await track(deps, condition, { accountId, code: body.code });
  if (outcome.kind !== "tracked") return codeRefused(outcome);
  return { repeated: outcome.duplicate, answer: { state: outcome.state, reward: credits(REWARD) } };
};

/** Or an owner could bring the own organization. */
const notForOrganizations: Problem = {
  problem: "person_required",
  message: "Referrals are between people; an organization neither brings nor is brought",
};
