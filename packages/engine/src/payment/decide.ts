import { addSeconds, type Instant } from "@bursar/contract/instant";
import { isGranted, isOpen, type Payment } from "./payment.ts";
import type { IntentRecord, PaymentFailure } from "./payments.ts";

/** What to do with a payment, given what the provider says of it. */
export type Step =
  /** Give the credits, if they are not given yet; `provisional` until the provider's own record says so. */
  | { readonly kind: "grant"; readonly provisional: boolean }
  | { readonly kind: "confirm" }
  | { readonly kind: "ask_person" }
  /** No money came, and none will. */
  | { readonly kind: "fail"; readonly failure: PaymentFailure }
  /** Nobody paid in time, or somebody called it off. */
  | { readonly kind: "cancel" }
  /** The credits were given, and the money did not come after all. */
  | { readonly kind: "reverse"; readonly failure: PaymentFailure }
  /** It is over here, and could still be paid there. */
  | { readonly kind: "call_off" }
  | { readonly kind: "nothing" };

/** How long a person has to confirm a payment. */
export const ACTION_MICROSECONDS = 24 * 3600 * 1_000_000;

const UNEXPLAINED: PaymentFailure = { code: "declined", message: "The payment was declined" };

/** `isAnswer`: the record is the answer to the charge itself, and not read again later. A payment whose money has come
 *  is granted whatever was thought of it before: what is paid for is never lost. */
export function nextStep(
  payment: Pick<Payment, "state" | "createdAt" | "isLent">,
  record: Pick<IntentRecord, "status" | "failure">,
  { isAnswer, now }: { isAnswer: boolean; now: Instant },
): Step {
  const { state } = payment;
  // Given, or about to be when the process died.
  const mayHaveCredits = isGranted(state) || (isOpen(state) && payment.isLent);
  switch (record.status) {
    case "succeeded":
      if (state === "confirmed" || state === "reversed") return { kind: "nothing" };
      if (state === "granted") return isAnswer ? { kind: "nothing" } : { kind: "confirm" };
      return { kind: "grant", provisional: isAnswer };
    case "processing":
      return isOpen(state) ? { kind: "grant", provisional: true } : { kind: "nothing" };
    case "requires_action":
      if (!isOpen(state)) return { kind: "nothing" };
      if (now - payment.createdAt >= ACTION_MICROSECONDS) return { kind: "cancel" };
      return state === "requires_action" ? { kind: "nothing" } : { kind: "ask_person" };
    case "declined": {
      const failure = record.failure ?? UNEXPLAINED;
      if (mayHaveCredits && state !== "confirmed") return { kind: "reverse", failure };
      if (isOpen(state)) return { kind: "fail", failure };
      return { kind: state === "confirmed" ? "nothing" : "call_off" };
    }
    case "canceled":
      if (mayHaveCredits) return { kind: "reverse", failure: record.failure ?? UNEXPLAINED };
      return isOpen(state) ? { kind: "cancel" } : { kind: "nothing" };
  }
}

const FIRST_SECONDS = 2;
const LONGEST_SECONDS = 600;

/** After an attempt to charge that ended in nobody knows what: 2 s, doubling up to 10 minutes. */
export function retryDelaySeconds(tries: number): number {
  return Math.min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** Math.min(tries, 16));
}

/** When to look at a payment again that waits: never after the person's time is up. */
export function nextLookAt(payment: Pick<Payment, "state" | "createdAt" | "tries">, now: Instant): Instant {
  const look = addSeconds(now, lookDelaySeconds(payment.tries));
  const end = (payment.createdAt + ACTION_MICROSECONDS) as Instant;
  return payment.state === "requires_action" && look > end && end > now ? end : look;
}

const FIRST_LOOK_SECONDS = 600;
const DAY_SECONDS = 86_400;

/** Until the provider has told the outcome, it is asked: after 10 minutes, doubling up to a day. */
export function lookDelaySeconds(tries: number): number {
  return Math.min(DAY_SECONDS, FIRST_LOOK_SECONDS * 2 ** Math.min(tries, 16));
}
