import type { AccountId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";

export interface GiftCard {
  readonly id: string;
  readonly amount: MicroCredits;
  readonly expiresAt: Instant | null;
  readonly redeemedBy: AccountId | null;
  readonly isVoid: boolean;
}

export type GiftDecision =
  | { readonly kind: "redeem" | "repeated"; readonly card: GiftCard }
  | { readonly kind: "code_unknown" | "code_used" | "code_void" | "code_expired" };

/** Whether this account may have the card's credits. First match wins: code_unknown, repeated, code_used, code_void,
 *  code_expired, redeem. */
export function decideGift(card: GiftCard | null, accountId: AccountId, now: Instant): GiftDecision {
  if (card === null) return { kind: "code_unknown" };
  if (card.redeemedBy === accountId) return { kind: "repeated", card };
  if (card.redeemedBy !== null) return { kind: "code_used" };
  if (card.isVoid) return { kind: "code_void" };
  if (card.expiresAt !== null && card.expiresAt <= now) return { kind: "code_expired" };
  return { kind: "redeem", card };
}
