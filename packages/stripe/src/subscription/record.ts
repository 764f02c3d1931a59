import { CURRENCIES, type Currency } from "@bursar/contract/fiat";
import type { AccountId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { InvoiceContent, InvoiceRecord, SubscriptionRecord } from "@bursar/engine/subscription/payments";
import type { SubscriptionId } from "@bursar/engine/subscription/subscription";
import type { Stripe } from "stripe";
import { planOf } from "./plan.ts";

export const ACCOUNT = "bursar_account";
export const SUBSCRIPTION = "bursar_subscription";

const instant = (seconds: number) => (seconds * 1_000_000) as Instant;

/** What a Subscription says, in the engine's words. It has one item; the period is the item's. */
export function recordOfSubscription(subscription: Stripe.Subscription): SubscriptionRecord {
  const item = itemOf(subscription);
  return {
    providerId: subscription.id,
    subscriptionId: (subscription.metadata[SUBSCRIPTION] ?? null) as SubscriptionId | null,
    accountId: (subscription.metadata[ACCOUNT] ?? null) as AccountId | null,
    status: statusOf(subscription.status),
    planId: planOf(item.price.product),
    currency: currencyOf(subscription),
    periodStart: instant(item.current_period_start),
    periodEnd: instant(item.current_period_end),
    cancelAtPeriodEnd: endsWithPeriod(subscription, item),
    methodId: idOf(subscription.default_payment_method),
  };
}

/** Who ends it on Stripe's own pages may have named the day instead. */
function endsWithPeriod(
  { cancel_at_period_end, cancel_at }: Stripe.Subscription,
  { current_period_end }: Stripe.SubscriptionItem,
): boolean {
  return cancel_at_period_end || (cancel_at !== null && cancel_at <= current_period_end);
}

/** An id, alone or as the object that it names. */
export function idOf(named: string | { readonly id: string } | null | undefined): string | null {
  return typeof named === "string" ? named : (named?.id ?? null);
}

export function itemOf({ id, items }: Stripe.Subscription): Stripe.SubscriptionItem {
  const item = items.data[0];
  if (item === undefined) throw new Error(`the subscription ${id} has no item`);
  return item;
}

function statusOf(status: Stripe.Subscription["status"]): SubscriptionRecord["status"] {
  switch (status) {
    case "active":
    case "trialing":
      return "active";
    case "incomplete":
      return "incomplete";
    case "canceled":
    case "incomplete_expired":
      return "canceled";
    default:
      // past_due, unpaid, paused: nothing new is paid for.
      return "past_due";
  }
}

/** What an Invoice says, without what only other objects tell. What it is for is told by its largest line: after a change,
 *  the lines are the new plan's rest of the period and what the old one's was worth. */
export function recordOfInvoice(
  invoice: Stripe.Invoice,
  currency: Currency,
  content: InvoiceContent,
): InvoiceRecord {
  const line = invoice.lines.data.toSorted((a, b) => b.amount - a.amount)[0];
  const paidAt = invoice.status_transitions.paid_at;
  return {
    id: invoice.id,
    providerId: idOf(invoice.parent?.subscription_details?.subscription),
    status: statusOfInvoice(invoice.status),
    reason: reasonOf(invoice.billing_reason),
    planId: planOf(line?.pricing?.price_details?.product),
    number: invoice.number,
    amountDue: invoice.amount_due,
    amountPaid: invoice.amount_paid,
    reversals: null,
    content,
    paidAt: paidAt === null ? null : instant(paidAt),
    paidWith: null,
    currency,
    periodStart: instant(line?.period.start ?? invoice.period_start),
    periodEnd: instant(line?.period.end ?? invoice.period_end),
    attempts: invoice.attempt_count,
    url: invoice.hosted_invoice_url ?? null,
    pdfUrl: invoice.invoice_pdf ?? null,
    createdAt: instant(invoice.created),
  };
}

const STATUSES = ["draft", "open", "paid", "uncollectible", "void"] as const;

/** One that nobody knows of yet is a draft. */
function statusOfInvoice(status: Stripe.Invoice["status"]): InvoiceRecord["status"] {
  return STATUSES.find((known) => known === status) ?? "draft";
}

function reasonOf(reason: Stripe.Invoice["billing_reason"]): InvoiceRecord["reason"] {
  switch (reason) {
    case "subscription_create":
      return "create";
    case "subscription_cycle":
      return "cycle";
    case "subscription_update":
      return "update";
    default:
      return "other";
  }
}

/** null: nothing is sold in it here, so the invoice is for something else that its seller sells. */
export function currencyOf({ currency }: Pick<Stripe.Invoice, "currency">): Currency | null {
  return CURRENCIES.find((candidate) => candidate === currency) ?? null;
}
