import type { Stripe } from "stripe";
import { emit } from "../event/emit.ts";
import { idOf } from "../ids.ts";
import { secondsOf, type World } from "../world.ts";
import { invoiceOf } from "./invoice.ts";

type Reason = "cancellation_requested" | "payment_failed";

/** Ends a subscription at once. What it owes stays open, and is not asked for again. */
export function cancelNow(world: World, subscription: Stripe.Subscription, reason: Reason): void {
  const now = secondsOf(world);
  Object.assign(subscription, {
    status: "canceled",
    canceled_at: subscription.canceled_at ?? now,
    ended_at: now,
    cancellation_details: { ...noDetails, ...subscription.cancellation_details, reason },
  } satisfies Partial<Stripe.Subscription>);
  for (const invoice of world.state.invoices.values()) {
    const owner = invoice.parent?.subscription_details?.subscription;
    if (invoice.status !== "open" || owner === undefined || idOf(owner) !== subscription.id) continue;
    invoice.auto_advance = false;
    invoice.next_payment_attempt = null;
  }
  emit(world, "customer.subscription.deleted", subscription);
}

const noDetails = { comment: null, feedback: null, feedback_option: null };

/** A first payment that did not come in time: the subscription has never begun. */
export function expireIncomplete(world: World, subscription: Stripe.Subscription): void {
  subscription.status = "incomplete_expired";
  subscription.ended_at = secondsOf(world);
  if (subscription.latest_invoice !== null)
    voidInvoice(world, invoiceOf(world, idOf(subscription.latest_invoice)));
  emit(world, "customer.subscription.updated", subscription, { status: "incomplete" });
}

/** Nobody owes it any more. */
export function voidInvoice(world: World, invoice: Stripe.Invoice): void {
  const now = secondsOf(world);
  Object.assign(invoice, {
    status: "void",
    auto_advance: false,
    next_payment_attempt: null,
    status_transitions: { ...invoice.status_transitions, voided_at: now },
  } satisfies Partial<Stripe.Invoice>);
  emit(world, "invoice.voided", invoice);
}
