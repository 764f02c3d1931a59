import type { Instant } from "@bursar/contract/instant";
import type {
  AttachOutcome,
  ChargeRequest,
  CheckoutRecord,
  CheckoutRequest,
  IntentRecord,
  PaymentMethod,
  Payments,
  RefundOutcome,
} from "@bursar/engine/payment/payments";
import { Stripe } from "stripe";
import { subjectOf, toEvent } from "./event.ts";
import { EXPANDED, failureOf, recordOfIntent } from "./intent.ts";
import {
  asked,
  ifThere,
  isInvalidRequest,
  isMissing,
  isMissingCustomer,
  unavailable,
} from "./unavailable.ts";

export interface StripeSettings {
  readonly secretKey: string;
  readonly webhookSecret: string;
  /** Another address than Stripe's own, such as the sandbox's: http://127.0.0.1:12111. */
  readonly url?: string | undefined;
  /** One try of one call; default 8 s. */
  readonly timeoutMilliseconds?: number;
  /** The time by which a webhook is fresh, in milliseconds; default the machine's. */
  readonly now?: () => number;
}

/** The version the adapter is written against: what Stripe changes later does not reach it. */
const API_VERSION = "2026-10-28.endive" satisfies typeof Stripe.API_VERSION;
const FRESH_SECONDS = 300;

/** The payments port on Stripe's official SDK. Retries are the engine's, by its own rows and their ids as idempotency
 *  keys; so the SDK makes none of its own. */
export function openStripe(settings: StripeSettings): Payments {
  const stripe = new Stripe(settings.secretKey, {
    apiVersion: API_VERSION,
    maxNetworkRetries: 0,
    timeout: settings.timeoutMilliseconds ?? 8000,
    telemetry: false,
    ...addressOf(settings.url),
  });
  const metadata = ({ accountId, paymentId }: Pick<ChargeRequest, "accountId" | "paymentId">) => ({
    bursar_account: accountId,
    bursar_payment: paymentId,
  });

  return {
    createCustomer: async ({ accountId, name, creationId }) => {
      const customer = { name, metadata: { bursar_account: accountId } };
      return (await asked(stripe.customers.create(customer, { idempotencyKey: creationId }))).id;
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

    charge: (request) => charge(stripe, request, metadata(request)),

    intent: async (intentId) => {
      const intent = await ifThere(stripe.paymentIntents.retrieve(intentId, { expand: EXPANDED }));
      return intent === null ? null : recordOfIntent(stripe, intent, "record");
    },

    findIntent: async ({ customerId, paymentId, since }) => {
      const created = { gte: Math.floor(since / 1_000_000) - 60 };
      const intents = await asked(
        stripe.paymentIntents
          .list({ customer: customerId, created, limit: 100, expand: ["data.latest_charge"] })
          .autoPagingToArray({ limit: 1000 }),
      );
      const found = intents.find((intent) => intent.metadata["bursar_payment"] === paymentId);
      return found === undefined ? null : recordOfIntent(stripe, found, "record");
    },

    authenticationPage: (intentId, returnUrl) => authenticationPage(stripe, intentId, returnUrl),

    cancel: async (intentId) => {
      await asked(stripe.paymentIntents.cancel(intentId)).catch((error: unknown) => {
        // Paid, or called off already: there is nothing to cancel.
        if (!isInvalidRequest(error)) throw error;
      });
    },

    openCheckout: (request) => openCheckout(stripe, request, metadata(request)),

    checkout: async (checkoutId) => {
      const session = await ifThere(stripe.checkout.sessions.retrieve(checkoutId));
      return session === null ? null : checkoutRecord(session);
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

async function* eventsSince(stripe: Stripe, since: Instant) {
  const created = { gte: Math.floor(since / 1_000_000) };
  const pages = stripe.events.list({ created, limit: 100 })[Symbol.asyncIterator]();
  for (;;) {
    const next = await asked(pages.next());
    if (next.done === true) return;
    yield toEvent(next.value);
  }
}

function addressOf(url: string | undefined) {
  if (url === undefined) return {};
  const { hostname, port, protocol } = new URL(url);
  const isPlain = protocol === "http:";
  return {
    host: hostname,
    port: port || (isPlain ? "80" : "443"),
    protocol: isPlain ? "http" : "https",
  } as const;
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

/** Payments' ids are an account's own, Stripe's keys are everybody's. */
function keyOf({ accountId, paymentId }: Pick<ChargeRequest, "accountId" | "paymentId">): string {
  return `${accountId}/${paymentId}`;
}

async function charge(
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

async function authenticationPage(
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

async function openCheckout(
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

function checkoutRecord({ id, status, url, payment_intent }: Stripe.Checkout.Session): CheckoutRecord {
  const intentId = typeof payment_intent === "string" ? payment_intent : (payment_intent?.id ?? null);
  return { checkoutId: id, status: isEnded(status) ? status : "open", url, intentId };
}

function isEnded(status: string | null): status is "complete" | "expired" {
  return status === "complete" || status === "expired";
}

async function refund(
  stripe: Stripe,
  { refundId, intentId, amount }: { refundId: string; intentId: string; amount: number },
): Promise<RefundOutcome> {
  try {
    const wanted = { payment_intent: intentId, amount, metadata: { bursar_refund: refundId } };
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
