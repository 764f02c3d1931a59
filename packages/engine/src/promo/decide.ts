import { addSeconds, type Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";

/** What a code gives, and to whom. */
export interface Promo {
  readonly code: string;
  readonly amount: MicroCredits;
  /** null: any number of accounts. */
  readonly limit: number | null;
  readonly redeemed: number;
  /** What an account must have bought before. */
  readonly minimumPurchased: MicroCredits;
  /** null: the credits never expire. */
  readonly creditsLastDays: number | null;
  readonly expiresAt: Instant | null;
  readonly disabledAt: Instant | null;
}

/** What an account got from a code. */
export interface Redemption {
  readonly grantId: string;
  readonly amount: MicroCredits;
  readonly expiresAt: Instant | null;
}

export type PromoDecision =
  | { readonly kind: "redeem" | "repeated"; readonly promo: Promo; readonly redemption: Redemption }
  | { readonly kind: "code_unknown" | "code_void" | "code_expired" | "code_used" }
  | {
      readonly kind: "minimum_not_met";
      readonly minimum: MicroCredits;
      readonly purchased: MicroCredits;
    };

export interface PromoState {
  readonly promo: Promo | null;
  /** Of this account. */
  readonly redemption: Redemption | null;
  readonly purchased: MicroCredits;
}

const SECONDS_PER_DAY = 86_400;

/** First match wins: code_unknown, repeated, code_void, code_expired, code_used (by as many as may), minimum_not_met,
 *  redeem. */
export function decidePromo({ promo, redemption, purchased }: PromoState, now: Instant): PromoDecision {
  if (promo === null) return { kind: "code_unknown" };
  if (redemption !== null) return { kind: "repeated", promo, redemption };
  if (promo.disabledAt !== null) return { kind: "code_void" };
  if (promo.expiresAt !== null && promo.expiresAt <= now) return { kind: "code_expired" };
  if (promo.limit !== null && promo.redeemed >= promo.limit) return { kind: "code_used" };
  if (purchased < promo.minimumPurchased)
    return { kind: "minimum_not_met", minimum: promo.minimumPurchased, purchased };
  const { amount, creditsLastDays: days } = promo;
  const expiresAt = days === null ? null : addSeconds(now, days * SECONDS_PER_DAY);
  return { kind: "redeem", promo, redemption: { grantId: `promo:${promo.code}`, amount, expiresAt } };
}
