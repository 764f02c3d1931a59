import type { Stripe } from "stripe";
import { customerOf } from "../customer/customer.ts";
import { emit } from "../event/emit.ts";
import { idOf, newId } from "../ids.ts";
import { createIntent } from "../intent/intent.ts";
import { missing } from "../refusal.ts";
import { secondsOf, type World } from "../world.ts";
import { type Line, shownLine } from "./line.ts";
import type { Period } from "./period.ts";
import { unusedOfInvoice } from "./unused.ts";

export type BillingReason = "subscription_create" | "subscription_cycle" | "subscription_update";

/** A draft of what a subscription owes. */
export function draftInvoice(
  world: World,
  subscription: Stripe.Subscription,
  lines: readonly Line[],
  reason: BillingReason,
  period: Period,
): Stripe.Invoice {
  const invoice = newInvoice(world, subscription, lines, reason, period);
  world.state.invoices.set(invoice.id, invoice);
  subscription.latest_invoice = invoice.id;
  emit(world, "invoice.created", invoice);
  return invoice;
}

/** What the subscription owes, as an invoice that nobody has yet. */
export function newInvoice(
  world: World,
  subscription: Stripe.Subscription,
  lines: readonly Line[],
  reason: BillingReason | "upcoming",
  period: Period,
): Stripe.Invoice {
  const id = newId(reason === "upcoming" ? "upcoming_in" : "in");
  const customer = customerOf(world, idOf(subscription.customer));
  const total = lines.reduce((sum, { amount }) => sum + amount, 0);
  const due = Math.max(0, total + customer.balance);
  return {
    id,
    object: "invoice",
    ...unusedOfInvoice(),
    amount_due: due,
    amount_remaining: due,
    billing_reason: reason,
    created: secondsOf(world),
    currency: subscription.currency,
    customer: customer.id,
    customer_address: customer.address ?? null,
    customer_email: customer.email,
    customer_name: customer.name ?? null,
    customer_phone: customer.phone ?? null,
    lines: {
      object: "list",
      data: lines.map((line) => shownLine(line, id)),
      has_more: false,
      url: `/v1/invoices/${id}/lines`,
    },
    parent: {
      type: "subscription_details",
      quote_details: null,
      subscription_details: { metadata: { ...subscription.metadata }, subscription: subscription.id },
    },
    period_end: period.end,
    period_start: period.start,
    starting_balance: customer.balance,
    status: "draft",
    subtotal: total,
    subtotal_excluding_tax: total,
    total,
    total_excluding_tax: total,
  } satisfies Stripe.Invoice;
}

/** Fixes a draft: it has its number, the customer's balance is applied, and what is due can be paid. */
export function finalizeInvoice(world: World, invoice: Stripe.Invoice): void {
  const customer = customerOf(world, idOf(invoice.customer!));
  customer.balance = Math.min(0, customer.balance + invoice.total);
  const sequence = customer.next_invoice_sequence ?? 1;
  customer.next_invoice_sequence = sequence + 1;
  const now = secondsOf(world);
  Object.assign(invoice, {
    status: "open",
    effective_at: now,
    hosted_invoice_url: `${world.url}/sandbox/invoices/${invoice.id}`,
    ending_balance: customer.balance,
    number: `${customer.invoice_prefix ?? "SANDBOX"}-${String(sequence).padStart(4, "0")}`,
    status_transitions: { ...invoice.status_transitions, finalized_at: now },
  } satisfies Partial<Stripe.Invoice>);
  emit(world, "invoice.finalized", invoice);
}

/** The PaymentIntent that pays an invoice is made with its first need. */
export function intentOfInvoice(world: World, invoice: Stripe.Invoice): Stripe.PaymentIntent {
  const { state } = world;
  const known = paymentOf(world, invoice)?.payment.payment_intent;
  if (known !== undefined) return state.paymentIntents.get(idOf(known))!;
  const isFirst = invoice.billing_reason === "subscription_create";
  const intent = createIntent(world, {
    amount: invoice.amount_due,
    currency: invoice.currency,
    customer: idOf(invoice.customer!),
    description: isFirst ? "Subscription creation" : "Subscription update",
    // The card of a subscription is charged again without its holder.
    setupFutureUsage: "off_session",
    types: null,
  });
  if (intent.automatic_payment_methods !== null) intent.automatic_payment_methods.allow_redirects = "never";
  linkPayment(world, invoice, intent);
  emit(world, "payment_intent.created", intent);
  return intent;
}

/** Says which PaymentIntent pays an invoice. */
export function linkPayment(world: World, invoice: Stripe.Invoice, intent: Stripe.PaymentIntent): void {
  const payment = {
    id: newId("inpay"),
    object: "invoice_payment",
    amount_paid: null,
    amount_requested: invoice.amount_due,
    created: secondsOf(world),
    currency: invoice.currency,
    invoice: invoice.id,
    is_default: true,
    livemode: false,
    payment: { type: "payment_intent", payment_intent: intent.id },
    status: "open",
    status_transitions: { canceled_at: null, paid_at: null },
  } satisfies Stripe.InvoicePayment;
  world.state.invoicePayments.set(payment.id, payment);
}

export function paymentOf({ state }: World, { id }: Stripe.Invoice): Stripe.InvoicePayment | undefined {
  return [...state.invoicePayments.values()].find(({ invoice }) => invoice === id);
}

/** The invoice is settled: by its payment, by the customer's balance, or because it asks for nothing. */
export function markPaid(world: World, invoice: Stripe.Invoice): void {
  const now = secondsOf(world);
  Object.assign(invoice, {
    status: "paid",
    attempted: true,
    auto_advance: false,
    amount_paid: invoice.amount_due,
    amount_remaining: 0,
    next_payment_attempt: null,
    status_transitions: { ...invoice.status_transitions, paid_at: now },
  } satisfies Partial<Stripe.Invoice>);
  const payment = paymentOf(world, invoice);
  if (payment !== undefined) {
    Object.assign(payment, {
      status: "paid",
      amount_paid: invoice.amount_due,
      status_transitions: { ...payment.status_transitions, paid_at: now },
    } satisfies Partial<Stripe.InvoicePayment>);
    emit(world, "invoice_payment.paid", payment);
  }
  emit(world, "invoice.paid", invoice);
  emit(world, "invoice.payment_succeeded", invoice);
}

/** Throws a refusal: there is no such invoice. */
export function invoiceOf({ state }: World, id: string, param = "invoice"): Stripe.Invoice {
  const invoice = state.invoices.get(id);
  if (invoice === undefined) throw missing("invoice", id, param);
  return invoice;
}

/** The subscription that an invoice is for. */
export function subscriptionIn({ parent }: Stripe.Invoice): string {
  return idOf(parent!.subscription_details!.subscription);
}
