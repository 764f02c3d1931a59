import { PaymentsUnavailable } from "@bursar/engine/payment/payments";
import { Stripe } from "stripe";

/** Passes on what the provider has clearly said, and makes everything else PaymentsUnavailable: no answer in time, an
 *  answer that something is wrong on its side, a limit, another call under the same key still under way, or a key that
 *  is not accepted, which an operator must mend. */
export async function asked<Answer>(call: Promise<Answer>): Promise<Answer> {
  try {
    return await call;
  } catch (error) {
    if (isClear(error)) throw error;
    throw unavailable(error);
  }
}

/** Without the provider's own error, which carries the payment and its card: this one may be logged. */
export function unavailable(error: unknown): PaymentsUnavailable {
  const reason = error instanceof Error ? error.message : String(error);
  const hasAnswered = error instanceof Stripe.errors.StripeError && (error.statusCode ?? 0) >= 500;
  return new PaymentsUnavailable(`the payment provider: ${reason}`, { hasAnswered });
}

function isClear(error: unknown): boolean {
  return error instanceof Stripe.errors.StripeCardError || isInvalidRequest(error);
}

export function isInvalidRequest(
  error: unknown,
): error is InstanceType<typeof Stripe.errors.StripeInvalidRequestError> {
  return error instanceof Stripe.errors.StripeInvalidRequestError && error.statusCode !== 409;
}

/** There is no such object, or there is no more. */
export function isMissing(error: unknown): boolean {
  return isInvalidRequest(error) && error.code === "resource_missing";
}

/** Deleted, or of another account at the provider. */
export function isMissingCustomer(error: unknown): boolean {
  return isInvalidRequest(error) && isMissing(error) && error.param === "customer";
}

/** null where there is no such object. */
export async function ifThere<Answer>(call: Promise<Answer>): Promise<Answer | null> {
  try {
    return await asked(call);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** null where the idempotency key was used before for another request: no outage, and never to be had by waiting. */
export async function unlessKeyUsed<Answer>(call: Promise<Answer>): Promise<Answer | null> {
  try {
    return await call;
  } catch (error) {
    // 409: the other one is still under way, and may be this one.
    if (error instanceof Stripe.errors.StripeIdempotencyError && error.statusCode !== 409) return null;
    throw error;
  }
}
