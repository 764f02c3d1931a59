import type {
  ChangeOutcome,
  ChangeRequest,
  InvoiceRecord,
  PageRecord,
  Refused,
  ReversalRecord,
  StartOutcome,
  StartRequest,
  SubscriptionPayments,
} from "@bursar/engine/subscription/payments";
import { Stripe } from "stripe";
import { EXPANDED, failureOf, recordOfIntent } from "../intent.ts";
import { asked, ifThere, isInvalidRequest, isMissing, unlessKeyUsed } from "../unavailable.ts";
import { contentOf, paymentsOf } from "./content.ts";
import { methodChangeOf } from "./method-change.ts";
import { ensureProduct, priceData } from "./plan.ts";
import {
  ACCOUNT,
  currencyOf,
  idOf,
  itemOf,
  recordOfInvoice,
  recordOfSubscription,
  SUBSCRIPTION,
} from "./record.ts";

/** Subscriptions on Stripe's: it charges, tries again and prorates. `returnUrl`: where people come back to who were not
 *  sent from anywhere; asked late. */
export function stripeSubscriptions(stripe: Stripe, returnUrl: () => string): SubscriptionPayments {
  return {
    subscribe: (request) => subscribe(stripe, request),
    openPage: (request) => openPage(stripe, request, request.returnUrl ?? returnUrl()),
    page: async (pageId) => {
      const session = await ifThere(stripe.checkout.sessions.retrieve(pageId));
      return session === null ? null : pageRecord(session);
    },
    closePage: async (pageId) => {
      // Complete or expired already: then it is closed.
      await unlessRefused(asked(stripe.checkout.sessions.expire(pageId)));
    },
    subscription: async (providerId) => {
      const subscription = await ifThere(stripe.subscriptions.retrieve(providerId));
      return subscription === null ? null : recordOfSubscription(subscription);
    },
    preview: (request) => preview(stripe, request),
    change: (request) => change(stripe, request),
    setCancelAtPeriodEnd: async (providerId, cancel_at_period_end) => {
      // Ended meanwhile: then there is nothing to end or to go on with.
      await unlessRefused(asked(stripe.subscriptions.update(providerId, { cancel_at_period_end })));
    },
    followDefault: async (providerId) => {
      // Ended meanwhile: then it is charged no more.
      await unlessRefused(asked(stripe.subscriptions.update(providerId, { default_payment_method: "" })));
    },
    end: async (providerId) => {
      await unlessRefused(asked(stripe.subscriptions.cancel(providerId, { prorate: false })));
      return recordOfSubscription(await asked(stripe.subscriptions.retrieve(providerId)));
    },
    invoice: async (invoiceId) => {
      const invoice = await ifThere(stripe.invoices.retrieve(invoiceId));
      const currency = invoice === null ? null : currencyOf(invoice);
      if (invoice === null || currency === null) return null;
      const record = recordOfInvoice(invoice, currency, await contentOf(stripe, invoice));
      return { ...record, ...(await paidOf(stripe, invoice)) };
    },
    invoiceOfPayment: async (payment_intent) => {
      const payment = { type: "payment_intent", payment_intent } as const;
      const found = await asked(stripe.invoicePayments.list({ payment, limit: 1 }));
      return idOf(found.data[0]?.invoice);
    },
    invoices: async (subscription) => {
      const invoices = await asked(stripe.invoices.list({ subscription, limit: 100 }));
      const records: InvoiceRecord[] = [];
      for (const invoice of invoices.data) {
        const currency = currencyOf(invoice);
        if (currency !== null)
          records.push(recordOfInvoice(invoice, currency, await contentOf(stripe, invoice)));
      }
      return records;
    },
    methodChangeOf,
    subjectOf,
  };
}

const metadataOf = ({ accountId, subscriptionId }: StartRequest) => {
  return { [ACCOUNT]: accountId, [SUBSCRIPTION]: subscriptionId };
};

/** Stripe's keys are one space for everybody, and accounts choose ids of their own. */
const keyOf = ({ accountId, subscriptionId }: StartRequest) => `${accountId}/${subscriptionId}`;

async function subscribe(
  stripe: Stripe,
  request: StartRequest & { readonly methodId: string },
): Promise<StartOutcome> {
  const { customerId, terms, currency, methodId } = request;
  const product = await ensureProduct(stripe, terms);
  try {
    const made = await asked(
      stripe.subscriptions.create(
        {
          customer: customerId,
          items: [{ price_data: priceData(product, currency, terms) }],
          default_payment_method: methodId,
          // Paid at once, or not made at all.
          payment_behavior: "error_if_incomplete",
          off_session: true,
          metadata: metadataOf(request),
        },
        { idempotencyKey: keyOf(request) },
      ),
    );
    return { kind: "started", record: recordOfSubscription(made) };
  } catch (error) {
    return needsItsOwner(error) ? { kind: "needs_page" } : refused(error);
  }
}

/** The bank wants to see whose card it is. */
function needsItsOwner(error: unknown): boolean {
  if (!(error instanceof Stripe.errors.StripeError)) return false;
  const codes = [error.code, error.decline_code];
  return (
    codes.includes("authentication_required") || codes.includes("subscription_payment_intent_requires_action")
  );
}

/** What the provider clearly refuses; anything else is thrown on. */
function refused(error: unknown): Refused {
  const isRefusal = error instanceof Stripe.errors.StripeCardError || isInvalidRequest(error);
  if (!isRefusal) throw error;
  return { kind: "refused", ...failureOf(error)! };
}

async function openPage(
  stripe: Stripe,
  request: StartRequest,
  returnUrl: string,
): Promise<PageRecord | Refused> {
  const { customerId, terms, currency, subscriptionId } = request;
  const product = await ensureProduct(stripe, terms);
  const session = {
    ...{ mode: "subscription" as const, customer: customerId, client_reference_id: subscriptionId },
    line_items: [{ quantity: 1, price_data: priceData(product, currency, terms) }],
    subscription_data: { metadata: metadataOf(request) },
    metadata: metadataOf(request),
    ...{ success_url: returnUrl, cancel_url: returnUrl },
  };
  try {
    const idempotencyKey = `${keyOf(request)}:page`;
    return pageRecord(await asked(stripe.checkout.sessions.create(session, { idempotencyKey })));
  } catch (error) {
    // Such as a price below the smallest that the provider takes in this currency, or a customer that is deleted.
    return refused(error);
  }
}

const PAGE_STATUSES = ["open", "complete", "expired"] as const;

function pageRecord({ id, status, url, subscription }: Stripe.Checkout.Session): PageRecord {
  const known = PAGE_STATUSES.find((candidate) => candidate === status) ?? "open";
  return { pageId: id, status: known, url: known === "open" ? url : null, providerId: idOf(subscription) };
}

/** The item under its new price. */
async function itemsOf(stripe: Stripe, { providerId, terms, currency }: ChangeRequest) {
  const product = await ensureProduct(stripe, terms);
  const { id } = itemOf(await asked(stripe.subscriptions.retrieve(providerId)));
  return [{ id, price_data: priceData(product, currency, terms) }];
}

async function preview(stripe: Stripe, request: ChangeRequest): Promise<number | Refused> {
  const items = await itemsOf(stripe, request);
  const subscription_details = { items, proration_behavior: "always_invoice" as const };
  const asking = { subscription: request.providerId, subscription_details };
  try {
    return Math.max(0, (await asked(stripe.invoices.createPreview(asking))).amount_due);
  } catch (error) {
    return refused(error);
  }
}

async function change(
  stripe: Stripe,
  request: ChangeRequest & { readonly changeId: string; readonly charges: boolean },
): Promise<ChangeOutcome> {
  const { providerId, changeId, charges } = request;
  const items = await itemsOf(stripe, request);
  const how = charges
    ? ({ proration_behavior: "always_invoice", payment_behavior: "error_if_incomplete" } as const)
    : ({ proration_behavior: "none" } as const);
  const idempotencyKey = `${providerId}/${changeId}`;
  try {
    const changed = await asked(
      unlessKeyUsed(stripe.subscriptions.update(providerId, { items, ...how }, { idempotencyKey })),
    );
    if (changed === null) return { kind: "key_conflict" };
    return { kind: "changed", record: recordOfSubscription(changed) };
  } catch (error) {
    return refused(error);
  }
}

/** How it was paid, and what of that went back. */
async function paidOf(
  stripe: Stripe,
  { id, status }: Stripe.Invoice,
): Promise<Pick<InvoiceRecord, "paidWith" | "reversals">> {
  if (status !== "paid") return { paidWith: null, reversals: [] };
  const paid = await paymentsOf(stripe, id, EXPANDED);
  const reversals: ReversalRecord[] = [];
  for (const intent of paid.intents) {
    const { refunds, disputes } = await recordOfIntent(stripe, intent, "record");
    for (const { id: refund, amount, hasFailed } of refunds)
      reversals.push({ id: refund, kind: "refund", state: hasFailed ? "returned" : "taken", amount });
    for (const { id: dispute, amount, state } of disputes)
      reversals.push({ id: dispute, kind: "dispute", state: DISPUTES[state], amount });
  }
  return { paidWith: paid.with, reversals };
}

const DISPUTES = { open: "open", lost: "taken", won: "returned" } as const;

async function unlessRefused(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!isInvalidRequest(error) && !isMissing(error)) throw error;
  }
}

/** As far as an event tells; null: it is about neither. */
function subjectOf(body: unknown): ReturnType<SubscriptionPayments["subjectOf"]> {
  const about = (body as { data?: { object?: { id?: unknown; object?: unknown } } }).data?.object;
  if (typeof about?.id !== "string") return null;
  if (about.object === "invoice") return { kind: "invoice", id: about.id };
  return about.object === "subscription" ? { kind: "subscription", id: about.id } : null;
}
