import type { Instant } from "@bursar/contract/instant";
import type {
  AttachOutcome,
  PaymentMethod,
  Payments,
  RefundOutcome,
  RefundRequest,
} from "@bursar/engine/payment/payments";
import { Stripe } from "stripe";
import { authenticationPage, charge } from "./charge.ts";
import { checkoutRecord, openCheckout } from "./checkout.ts";
import { stripeOf } from "./client.ts";
import { subjectOf, toEvent } from "./event.ts";
import { EXPANDED, failureOf, recordOfIntent } from "./intent.ts";
import { metadataOf, saleOf } from "./sale.ts";
import type { StripeSettings } from "./settings.ts";
import { asked, ifThere, isInvalidRequest, isMissingCustomer } from "./unavailable.ts";

const FRESH_SECONDS = 300;

/** The payments port on Stripe's official SDK. Retries are the engine's, by its own rows and their ids as idempotency
 *  keys; so the SDK makes none of its own. */
export function openStripe(settings: StripeSettings): Payments {
  const stripe = stripeOf(settings);
  return {
    createCustomer: async ({ accountId, name, creationId }) => {
      const customer = { name, metadata: { bursar_account: accountId } };
      return (await asked(stripe.customers.create(customer, { idempotencyKey: creationId }))).id;
    },

    findCustomer: async ({ accountId, since }) => {
      const created = { gte: Math.floor(since / 1_000_000) - 60 };
      const customers = stripe.customers.list({ created, limit: 100 }).autoPagingToArray({ limit: 1000 });
      return (
        (await asked(customers)).find(({ metadata }) => metadata["bursar_account"] === accountId)?.id ?? null
      );
    },

    methods: (customerId) => methodsOf(stripe, customerId),

    attach: (customerId, token) => attach(stripe, customerId, token),

    setDefault: async (customerId, methodId) => {
      const invoice_settings = { default_payment_method: methodId };
      await asked(stripe.customers.update(customerId, { invoice_settings }));
    },

    detach: async (methodId) => {
      await ifThere(stripe.paymentMethods.detach(methodId));
    },

    setupPage: async ({ accountId, customerId, returnUrl, pageId }) => {
      const session = {
        ...{ mode: "setup" as const, customer: customerId, currency: "eur" },
        ...{ success_url: returnUrl, cancel_url: returnUrl },
        metadata: { bursar_account: accountId },
      };
      try {
        const made = await asked(stripe.checkout.sessions.create(session, { idempotencyKey: pageId }));
        return { url: made.url! };
      } catch (error) {
        if (isMissingCustomer(error)) return { kind: "customer_deleted" };
        throw error;
      }
    },

    charge: (request) => charge(stripe, request, metadataOf(request)),

    intent: async (intentId) => {
      const intent = await ifThere(stripe.paymentIntents.retrieve(intentId, { expand: EXPANDED }));
      return intent === null ? null : recordOfIntent(stripe, intent, "record");
    },

    findIntent: async ({ customerId, paymentId, since }) => {
      const created = { gte: Math.floor(since / 1_000_000) - CLOCKS_APART_SECONDS };
      const intents = await asked(
        stripe.paymentIntents
          .list({ customer: customerId, created, limit: 100, expand: ["data.latest_charge"] })
          .autoPagingToArray({ limit: 1000 }),
      );
      const found = intents.find((intent) => intent.metadata["bursar_payment"] === paymentId);
      return found === undefined ? null : recordOfIntent(stripe, found, "record");
    },

    sale: async (intentId) => {
      const intent = await ifThere(stripe.paymentIntents.retrieve(intentId, { expand: EXPANDED }));
      return intent === null ? null : saleOf(intent);
    },

    authenticationPage: (intentId, returnUrl) => authenticationPage(stripe, intentId, returnUrl),

    cancel: async (intentId) => {
      await asked(stripe.paymentIntents.cancel(intentId)).catch((error: unknown) => {
        // Paid, or called off already: there is nothing to cancel.
        if (!isInvalidRequest(error)) throw error;
      });
    },

    openCheckout: (request) => openCheckout(stripe, request, metadataOf(request)),

    checkout: async (checkoutId) => {
      const session = await ifThere(stripe.checkout.sessions.retrieve(checkoutId));
      return session === null ? null : checkoutRecord(session);
    },

    closeCheckout: async (checkoutId) => {
      await asked(stripe.checkout.sessions.expire(checkoutId)).catch((error: unknown) => {
        // Paid, or expired already: there is nothing to close.
        if (!isInvalidRequest(error)) throw error;
      });
    },

    refund: (request) => refund(stripe, request),

    verifyEvent: (rawBody, signature) => {
      const event = verified(stripe, rawBody, signature, settings);
      return event === null ? null : toEvent(event);
    },
    subjectOf,
    event: async (eventId) => {
      const event = await ifThere(stripe.events.retrieve(eventId));
      return event === null ? null : toEvent(event);
    },
    eventsSince: (since: Instant) => eventsSince(stripe, since),
  };
}

/** Our clock is not Stripe's, and a payment that is not found is called off though it was charged. */
const CLOCKS_APART_SECONDS = 86_400;

async function* eventsSince(stripe: Stripe, since: Instant) {
  const created = { gte: Math.floor(since / 1_000_000) };
  const pages = stripe.events.list({ created, limit: 100 })[Symbol.asyncIterator]();
  for (;;) {
    const next = await asked(pages.next());
    if (next.done === true) return;
    yield toEvent(next.value);
  }
}

async function methodsOf(stripe: Stripe, customerId: string): Promise<PaymentMethod[] | null> {
  const customer = await ifThere(stripe.customers.retrieve(customerId));
  if (customer === null || customer.deleted === true) return null;
  const chosen = customer.invoice_settings.default_payment_method;
  const defaultId = typeof chosen === "string" ? chosen : (chosen?.id ?? null);
  const methods = await asked(
    stripe.customers.listPaymentMethods(customerId, { limit: 100 }).autoPagingToArray({ limit: 500 }),
  );
  return methods.map((method) => toMethod(method, defaultId));
}

function toMethod({ id, type, card }: Stripe.PaymentMethod, defaultId: string | null): PaymentMethod {
  const expires = card === undefined || card === null ? null : card;
  return {
    ...{ id, type, brand: card?.brand ?? null, last4: card?.last4 ?? null },
    expiresMonth:
      expires === null ? null : `${expires.exp_year}-${String(expires.exp_month).padStart(2, "0")}`,
    isDefault: id === defaultId,
  };
}

/** The first method becomes the default one: a saved card is there to be charged. */
async function attach(stripe: Stripe, customerId: string, token: string): Promise<AttachOutcome> {
  try {
    const method = await asked(stripe.paymentMethods.attach(token, { customer: customerId }));
    const customer = await asked(stripe.customers.retrieve(customerId));
    if (customer.deleted === true) return { kind: "customer_deleted" };
    const hasDefault = customer.invoice_settings.default_payment_method !== null;
    if (!hasDefault) {
      const invoice_settings = { default_payment_method: method.id };
      await asked(stripe.customers.update(customerId, { invoice_settings }));
    }
    return { kind: "attached", method: toMethod(method, hasDefault ? null : method.id) };
  } catch (error) {
    if (isMissingCustomer(error)) return { kind: "customer_deleted" };
    if (isInvalidRequest(error) || error instanceof Stripe.errors.StripeCardError)
      return { kind: "refused", ...failureOf(error)! };
    throw error;
  }
}

async function refund(
  stripe: Stripe,
  { refundId, intentId, amount, by, reason }: RefundRequest,
): Promise<RefundOutcome> {
  try {
    const metadata = { bursar_refund: refundId, bursar_by: by, bursar_reason: reason };
    const wanted = { payment_intent: intentId, amount, metadata };
    await asked(stripe.refunds.create(wanted, { idempotencyKey: `refund/${intentId}/${refundId}` }));
    return { kind: "refunded" };
  } catch (error) {
    if (!isInvalidRequest(error)) throw error;
    return { kind: "refused", ...failureOf(error)! };
  }
}

function verified(
  stripe: Stripe,
  rawBody: string,
  signature: string,
  { webhookSecret, now }: StripeSettings,
): Stripe.Event | null {
  try {
    const receivedAt = now?.();
    return stripe.webhooks.constructEvent(
      ...([rawBody, signature, webhookSecret, FRESH_SECONDS, undefined, receivedAt] as const),
    );
  } catch {
    return null;
  }
}
