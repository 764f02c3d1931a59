import type { Currency } from "@bursar/contract/fiat";
import type { AccountId, GrantId, PaymentId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type { PaymentFailure } from "./payments.ts";

/** wanted → charging → granted (provisional) → confirmed; or requires_action, failed, canceled, reversed. */
export type PaymentState =
  | "wanted"
  | "charging"
  | "requires_action"
  | "granted"
  | "confirmed"
  | "failed"
  | "reversed"
  | "canceled";

/** One attempt to take money for credits. Amounts in the currency's minor unit. */
export interface Payment {
  readonly accountId: AccountId;
  readonly id: PaymentId;
  readonly kind: "purchase" | "topup";
  readonly method: "saved" | "checkout";
  readonly state: PaymentState;
  readonly credits: MicroCredits;
  readonly amount: number;
  readonly currency: Currency;
  /** The ledger's key: whoever grants, grants this once. */
  readonly grantId: GrantId;
  readonly asked: string;
  readonly paymentMethodId: string | null;
  readonly intentId: string | null;
  readonly checkoutId: string | null;
  /** Where a person pays or confirms. */
  readonly url: string | null;
  readonly returnUrl: string | null;
  /** What a link for people names it by. */
  readonly link: string;
  readonly failure: PaymentFailure | null;
  readonly netBefore: MicroCredits | null;
  readonly threshold: MicroCredits | null;
  readonly by: string;
  readonly requestId: string | null;
  readonly createdAt: Instant;
  readonly chargedAt: Instant | null;
  readonly endedAt: Instant | null;
  readonly tries: number;
  /** Credits may have been given for money that is only promised. */
  readonly isLent: boolean;
}

/** The ledger's key of the payment's credits: the job, the webhook and the sweep all use it. */
export const grantIdOf = (id: PaymentId) => `grant_${id}` as GrantId;

/** Money may still be taken. */
export function isOpen(state: PaymentState): boolean {
  return state === "wanted" || state === "charging" || state === "requires_action";
}

/** The credits are there. */
export function isGranted(state: PaymentState): boolean {
  return state === "granted" || state === "confirmed";
}

/** What makes this very payment, to be told from another one under the same id. */
export type NewPayment = Omit<
  Payment,
  "state" | "intentId" | "checkoutId" | "url" | "failure" | "chargedAt" | "endedAt" | "tries" | "isLent"
>;
