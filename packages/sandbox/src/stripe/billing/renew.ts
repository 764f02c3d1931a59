import type { Stripe } from "stripe";
import { changedFrom } from "../customer/customer.ts";
import { emit } from "../event/emit.ts";
import { secondsOf, type World } from "../world.ts";
import { takePending } from "./change.ts";
import { collect } from "./collect.ts";
import { cancelNow, expireIncomplete } from "./end.ts";
import { draftInvoice, finalizeInvoice } from "./invoice.ts";
import { linesOf } from "./lines.ts";
import { periodAt } from "./period.ts";
import { intervalOf, periodOf, setPeriod } from "./subscription.ts";

const INCOMPLETE_SECONDS = 23 * 3600;
const RUNNING: ReadonlySet<string> = new Set(["active", "past_due", "trialing"]);

/** Renews, ends, and asks again for payment, whatever is due. Returns how much that was; who is more than a period behind is
 *  renewed once each time. */
export function settleBilling(world: World): number {
  const now = secondsOf(world);
  let done = 0;
  for (const invoice of world.state.invoices.values()) {
    if (invoice.status !== "open" || (invoice.next_payment_attempt ?? Infinity) > now) continue;
    collect(world, invoice, { isOffSession: true });
    done++;
  }
  for (const subscription of world.state.subscriptions.values()) {
    const { status, created } = subscription;
    if (status === "incomplete" && created + INCOMPLETE_SECONDS <= now) expireIncomplete(world, subscription);
    else if (RUNNING.has(status) && isDue(subscription, now)) renew(world, subscription);
    else continue;
    done++;
  }
  return done;
}

function isDue(subscription: Stripe.Subscription, now: number): boolean {
  return Math.min(periodOf(subscription).end, subscription.cancel_at ?? Infinity) <= now;
}

function renew(world: World, subscription: Stripe.Subscription): void {
  const { end } = periodOf(subscription);
  if (subscription.cancel_at !== null && subscription.cancel_at <= end) {
    cancelNow(world, subscription, "cancellation_requested");
    return;
  }
  const invoice = beginPeriod(world, subscription);
  finalizeInvoice(world, invoice);
  collect(world, invoice, { isOffSession: true });
}

/** The next period begins, with an invoice for it and for what has been put off. */
export function beginPeriod(world: World, subscription: Stripe.Subscription): Stripe.Invoice {
  const before = structuredClone(subscription);
  const [item] = subscription.items.data;
  const interval = intervalOf(item!.price);
  const period = periodAt(subscription.billing_cycle_anchor, interval, periodOf(subscription).end);
  setPeriod(subscription, period);
  if (subscription.status === "trialing") subscription.status = "active";
  const lines = [...takePending(world, subscription.id), ...linesOf(world, subscription, period, false)];
  emit(world, "customer.subscription.updated", subscription, changedFrom(before, subscription));
  return draftInvoice(world, subscription, lines, "subscription_cycle", periodOf(before));
}
