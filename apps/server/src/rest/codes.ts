import type { AccountId } from "@bursar/contract/ids";
import { formatCredits } from "@bursar/contract/money";
import type { RedeemGiftOutcome } from "@bursar/engine/gift/redeem";
import { organizationOfAccount } from "@bursar/engine/organization/turn";
import type { RedeemPromoOutcome } from "@bursar/engine/promo/redeem";
import type { TrackOutcome } from "@bursar/engine/referral/track";
import { type Problem, refused } from "./problem.ts";

type Refused = Exclude<
  RedeemGiftOutcome | RedeemPromoOutcome | TrackOutcome,
  { kind: "redeemed" } | { kind: "tracked" }
>;

const MESSAGES = {
  code_unknown: "This code is not known",
  code_used: "This code has been redeemed already, as often as it may be",
  code_void: "This code is not valid any more",
  code_expired: "This code has expired",
  referral_self: "An account cannot bring itself: this is its own code",
  referral_taken: "Somebody else has brought this account already",
  referral_loop: "This account has itself brought the owner of the code, or somebody before them",
  referral_too_late: "This account has bought credits before, so nobody can bring it any more",
  referral_limit: "The owner of this code has brought as many accounts as are rewarded",
} as const;

/** What people read when a code opens nothing. */
export function codeRefused(outcome: Refused): Problem {
  switch (outcome.kind) {
    case "account_unknown":
      return refused(outcome);
    case "limited": {
      const { retryAfterSeconds } = outcome;
      const message = `Too many codes were tried; try again in ${retryAfterSeconds} seconds`;
      return { problem: "rate_limited", message, retryAfterSeconds };
    }
    case "minimum_not_met": {
      const [minimum, purchased] = [formatCredits(outcome.minimum), formatCredits(outcome.purchased)];
      const message = `This code is for accounts that have bought ${minimum} credits or more; this one has bought ${purchased}`;
      return { problem: "minimum_not_met", message, param: "code" };
    }
    default:
      return { problem: outcome.kind, message: MESSAGES[outcome.kind], param: "code" };
  }
}

const FOR_PEOPLE = {
  // Or one person could redeem a code as often as they make organizations.
  promo: "Promo codes are for people, once each; an organization redeems none",
  // Or an owner could bring the own organization.
  referral: "Referrals are between people; an organization neither brings nor is brought",
} as const;

/** null: the account is no organization's. */
export function refusedToOrganizations(accountId: AccountId, code: keyof typeof FOR_PEOPLE): Problem | null {
  if (organizationOfAccount(accountId) === null) return null;
  return { problem: "person_required", message: FOR_PEOPLE[code] };
}
