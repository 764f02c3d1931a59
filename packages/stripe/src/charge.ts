import type { ChargeRequest, IntentRecord } from "@bursar/engine/payment/payments";
import { Stripe } from "stripe";
import { EXPANDED, failureOf, recordOfIntent } from "./intent.ts";
import { asked, ifThere, isInvalidRequest, isMissing, unavailable } from "./unavailable.ts";

/** Payments' ids are an account's own, Stripe's keys are everybody's. */
export function keyOf({ accountId, paymentId }: Pick<ChargeRequest, "accountId" | "paymentId">): string {
  return `${accountId}/${paymentId}`;
}

/** Charges a saved method without its owner being there. */
export async function charge(
  stripe: Stripe,
  request: ChargeRequest,
  metadata: Record<string, string>,
): Promise<IntentRecord> {
  const { amount, currency, customerId, paymentMethodId, description } = request;
  const intent = {
    ...{ amount, currency, description, metadata, customer: customerId, payment_method: paymentMethodId },
    ...{ confirm: true, off_session: true, expand: EXPANDED },
    // Nobody is there to be sent anywhere.
    automatic_payment_methods: { enabled: true, allow_redirects: "never" as const },
  };
  try {
    const made = await asked(stripe.paymentIntents.create(intent, { idempotencyKey: keyOf(request) }));
    return await recordOfIntent(stripe, made, "answer");
  } catch (error) {
    return refusedCharge(stripe, error);
  }
}

/** A decline comes as an error that carries the payment; a method or customer that is gone comes without one. Any other
 *  refusal says nothing about the payer: something is wrong with the request or the Stripe account, which an operator
 *  must mend, and no policy is switched off for it. */
async function refusedCharge(stripe: Stripe, error: unknown): Promise<IntentRecord> {
  const isDecline = error instanceof Stripe.errors.StripeCardError;
  if (isDecline && error.payment_intent !== undefined) {
    const record = await recordOfIntent(stripe, error.payment_intent, "answer");
    return { ...record, failure: record.failure ?? failureOf(error) };
  }
  if (!isDecline && !isGone(error)) throw unavailable(error);
  return { intentId: null, status: "declined", failure: failureOf(error), refunds: [], disputes: [] };
}

/** The method or its owner cannot be charged any more. */
function isGone(error: unknown): error is InstanceType<typeof Stripe.errors.StripeInvalidRequestError> {
  if (!isInvalidRequest(error)) return false;
  return (
    isMissing(error) ||
    /^payment_method_|payment_intent_invalid_parameter/.test(error.code ?? "") ||
    error.param === "payment_method"
  );
}

/** Where the owner of a method confirms a payment that their bank wants to ask about. */
export async function authenticationPage(
  stripe: Stripe,
  intentId: string,
  returnUrl: string,
): Promise<string | null> {
  let intent: Stripe.PaymentIntent | null = await ifThere(stripe.paymentIntents.retrieve(intentId));
  if (intent === null) return null;
  const declined = intent.last_payment_error;
  if (intent.status === "requires_payment_method" && declined?.code === "authentication_required") {
    // Its owner is here now: the bank can ask.
    const payment_method = declined.payment_method?.id;
    if (payment_method === undefined) return null;
    const confirmed = await confirmHere(stripe, intentId, { payment_method, return_url: returnUrl });
    if (confirmed === null) return null;
    intent = confirmed;
  }
  return intent.next_action?.redirect_to_url?.url ?? null;
}

/** null: it cannot be confirmed any more, because it was declined, or somebody was faster. */
async function confirmHere(
  stripe: Stripe,
  intentId: string,
  how: { readonly payment_method: string; readonly return_url: string },
): Promise<Stripe.PaymentIntent | null> {
  try {
    return await asked(stripe.paymentIntents.confirm(intentId, how));
  } catch (error) {
    if (error instanceof Stripe.errors.StripeCardError || isInvalidRequest(error)) return null;
    throw error;
  }
}
