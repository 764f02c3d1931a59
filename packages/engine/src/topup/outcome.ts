import type { PaymentId } from "@bursar/contract/ids";
import type { MicroCredits } from "@bursar/contract/money";
import type { Payment } from "../payment/payment.ts";
import type { TopUpDecision } from "./decide.ts";

export type TopUpOutcome =
  /** Credits were bought and are there. */
  | { readonly kind: "added"; readonly credits: MicroCredits; readonly paymentId: PaymentId }
  | { readonly kind: "disabled" }
  | { readonly kind: "suspended" }
  | { readonly kind: "no_payment_method" }
  /** An attempt is under way, here or in another process, or waits for a person. */
  | { readonly kind: "attempt_open"; readonly paymentId: PaymentId | null }
  | { readonly kind: "declined"; readonly code: string }
  | { readonly kind: "unavailable" }
  | Exclude<TopUpDecision, { kind: "buy" | "attempt_open" }>;

/** How an attempt stands, for whoever waits for it. */
export function outcomeOf(payment: Payment): TopUpOutcome {
  const { state, credits, id: paymentId, failure } = payment;
  if (state === "granted" || state === "confirmed") return { kind: "added", credits, paymentId };
  if (state === "failed" || state === "canceled" || state === "reversed")
    return { kind: "declined", code: failure?.code ?? state };
  return { kind: "attempt_open", paymentId };
}
