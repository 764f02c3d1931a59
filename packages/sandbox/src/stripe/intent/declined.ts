import type { Stripe } from "stripe";
import { DECLINES } from "../card/declines.ts";
import { Refusal, type RefusalBody } from "../refusal.ts";

/** The error of a decline as it stands in an intent. */
export function declineError(name: string, method: Stripe.PaymentMethod, charge: string | null) {
  const { code, declineCode, message, advice } = DECLINES[name]!;
  return {
    type: code.endsWith("authentication_failure") ? "invalid_request_error" : "card_error",
    code,
    decline_code: declineCode,
    advice_code: advice,
    message,
    payment_method: structuredClone(method),
    ...(charge !== null && { charge }),
  } satisfies Stripe.PaymentIntent.LastPaymentError;
}

/** 402 as Stripe answers it, with the intent that it left behind. */
export function declinedCard(
  name: string,
  context: Pick<RefusalBody, "charge" | "payment_intent" | "payment_method" | "setup_intent">,
): Refusal {
  const { code, declineCode, message, advice } = DECLINES[name]!;
  const body = { type: "card_error", code, decline_code: declineCode, advice_code: advice, message } as const;
  return new Refusal(402, { ...body, ...context });
}
