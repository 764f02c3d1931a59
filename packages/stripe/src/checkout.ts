import type { CheckoutRecord, CheckoutRequest, Payments } from "@bursar/engine/payment/payments";
import type { Stripe } from "stripe";
import { keyOf } from "./charge.ts";
import { failureOf } from "./intent.ts";
import { asked, isInvalidRequest, isMissingCustomer } from "./unavailable.ts";

/** A page to pay on, which also saves the card. */
export async function openCheckout(
  stripe: Stripe,
  request: CheckoutRequest,
  metadata: Record<string, string>,
): ReturnType<Payments["openCheckout"]> {
  const { amount, currency, customerId, description, returnUrl, paymentId } = request;
  const product_data = { name: description };
  const session = {
    ...{ mode: "payment" as const, customer: customerId, client_reference_id: paymentId, metadata },
    line_items: [{ quantity: 1, price_data: { currency, unit_amount: amount, product_data } }],
    payment_intent_data: { description, metadata, setup_future_usage: "off_session" as const },
    ...{ success_url: returnUrl, cancel_url: returnUrl },
  };
  try {
    // A customer that was replaced makes it another page.
    const idempotencyKey = `${keyOf(request)}/${customerId}`;
    return checkoutRecord(await asked(stripe.checkout.sessions.create(session, { idempotencyKey })));
  } catch (error) {
    if (isMissingCustomer(error)) return { kind: "customer_deleted" };
    // Such as a price below the smallest that the provider takes in this currency.
    if (!isInvalidRequest(error)) throw error;
    return { kind: "refused", failure: failureOf(error)! };
  }
}

export function checkoutRecord({ id, status, url, payment_intent }: Stripe.Checkout.Session): CheckoutRecord {
  const intentId = typeof payment_intent === "string" ? payment_intent : (payment_intent?.id ?? null);
  return { checkoutId: id, status: isEnded(status) ? status : "open", url, intentId };
}

function isEnded(status: string | null): status is "complete" | "expired" {
  return status === "complete" || status === "expired";
}
