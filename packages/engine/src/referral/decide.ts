import { addSeconds, type Instant, MICROSECONDS_PER_SECOND } from "@bursar/contract/instant";
import { credits, type MicroCredits } from "@bursar/contract/money";

/** What each of the two gets. */
export const REWARD: MicroCredits = credits("25");
/** How many referrals of one referrer are rewarded. */
export const REWARD_LIMIT = 100;

/** What the account that was brought must do before both are rewarded. */
export type Condition = "purchase" | "verified_mail";

export type ReferralState = "pending" | "rewarded" | "unrewarded";

export type TrackDecision =
  | { readonly kind: "track" }
  | { readonly kind: "repeated"; readonly state: ReferralState }
  | {
      readonly kind:
        | "code_unknown"
        | "referral_self"
        | "referral_taken"
        | "referral_loop"
        | "referral_too_late"
        | "referral_limit";
    };

export interface TrackState {
  readonly accountId: string;
  /** Whose code it is. */
  readonly referrerId: string | null;
  /** Who has brought the account already. */
  readonly before: { readonly referrerId: string; readonly state: ReferralState } | null;
  /** Who brought the referrer, and who brought those. */
  readonly ancestors: readonly string[];
  readonly rewarded: number;
  readonly hasPurchased: boolean;
  readonly condition: Condition;
}

/** First match wins: code_unknown, referral_self, repeated, referral_taken, referral_loop, referral_too_late (who has
 *  bought before was not brought by anybody), referral_limit, track. */
export function decideTracking(state: TrackState): TrackDecision {
  const { accountId, referrerId, before, ancestors, rewarded, hasPurchased, condition } = state;
  if (referrerId === null) return { kind: "code_unknown" };
  if (referrerId === accountId) return { kind: "referral_self" };
  if (before?.referrerId === referrerId) return { kind: "repeated", state: before.state };
  if (before !== null) return { kind: "referral_taken" };
  if (ancestors.includes(accountId)) return { kind: "referral_loop" };
  if (condition === "purchase" && hasPurchased) return { kind: "referral_too_late" };
  return rewarded >= REWARD_LIMIT ? { kind: "referral_limit" } : { kind: "track" };
}

const SOONEST_SECONDS = 60;
const LATEST_SECONDS = 600;

/** When to look again whether the condition is met: the longer nothing happened, the later, up to ten minutes. */
export function nextLook(trackedAt: Instant, now: Instant): Instant {
  const age = (now - trackedAt) / MICROSECONDS_PER_SECOND;
  return addSeconds(now, Math.min(Math.max(age / 10, SOONEST_SECONDS), LATEST_SECONDS));
}
