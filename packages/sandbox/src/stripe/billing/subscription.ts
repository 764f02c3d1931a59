import type { Stripe } from "stripe";
import type { WirePrice } from "../catalogue/wire-price.ts";
import { changedFrom, customerOf } from "../customer/customer.ts";
import { emit } from "../event/emit.ts";
import { idOf, newId } from "../ids.ts";
import { missing } from "../refusal.ts";
import { secondsOf, type World } from "../world.ts";
import type { Interval, Period } from "./period.ts";
import { unusedOfSubscription } from "./unused.ts";

/** Throws a refusal: there is no such subscription. */
export function subscriptionOf({ state }: World, id: string, param = "subscription"): Stripe.Subscription {
  const subscription = state.subscriptions.get(id);
  if (subscription === undefined) throw missing("subscription", id, param);
  return subscription;
}

export function periodOf({ items }: Stripe.Subscription): Period {
  const [first] = items.data;
  return { start: first!.current_period_start, end: first!.current_period_end };
}

export function setPeriod({ items }: Stripe.Subscription, { start, end }: Period): void {
  for (const item of items.data) {
    item.current_period_start = start;
    item.current_period_end = end;
  }
}

export function intervalOf({ recurring }: Pick<WirePrice, "recurring">): Interval {
  return { unit: recurring!.interval as Interval["unit"], count: recurring!.interval_count };
}

/** The payment method of a subscription: its own, else the customer's; null: none, or one of its own that has been
 *  detached, which pays nothing any more. */
export function methodFor(world: World, subscriptionId: string): string | null {
  const { default_payment_method: own, customer } = subscriptionOf(world, subscriptionId);
  if (own !== null) return attachedTo(world, idOf(own), idOf(customer));
  const usual = customerOf(world, idOf(customer)).invoice_settings.default_payment_method;
  return usual === null ? null : idOf(usual);
}

function attachedTo({ state }: World, methodId: string, customerId: string): string | null {
  return state.paymentMethods.get(methodId)?.customer === customerId ? methodId : null;
}

export function changeStatus(
  world: World,
  subscription: Stripe.Subscription,
  status: Stripe.Subscription.Status,
): void {
  const before = structuredClone(subscription);
  subscription.status = status;
  emit(world, "customer.subscription.updated", subscription, changedFrom(before, subscription));
}

export interface NewItem {
  readonly price: WirePrice;
  readonly quantity: number;
  readonly metadata?: Record<string, string>;
}

/** One thing that a subscription pays for. */
export function createItem(
  world: World,
  subscription: string,
  asked: NewItem,
  period: Period,
): Stripe.SubscriptionItem {
  const { price, quantity, metadata = {} } = asked;
  const item = {
    id: newId("si", 14),
    object: "subscription_item",
    billing_thresholds: null,
    created: secondsOf(world),
    current_period_end: period.end,
    current_period_start: period.start,
    current_trial: null,
    discounts: [],
    metadata,
    plan: planOf(price),
    price: price as unknown as Stripe.Price,
    quantity,
    subscription,
    tax_rates: [],
  } satisfies Stripe.SubscriptionItem;
  return item;
}

/** What prices were called before; still part of every item. */
function planOf(price: WirePrice): Stripe.Plan {
  const plan = {
    id: price.id,
    object: "plan",
    active: price.active,
    amount: price.unit_amount,
    amount_decimal: null,
    billing_scheme: "per_unit",
    created: price.created,
    currency: price.currency,
    interval: price.recurring!.interval,
    interval_count: price.recurring!.interval_count,
    livemode: false,
    metadata: { ...price.metadata },
    meter: null,
    nickname: price.nickname,
    product: price.product,
    tiers_mode: null,
    transform_usage: null,
    trial_period_days: null,
    usage_type: "licensed",
  } satisfies Stripe.Plan;
  return Object.assign(plan, { amount_decimal: price.unit_amount_decimal });
}

export interface NewSubscription {
  readonly customer: string;
  readonly currency: string;
  readonly defaultPaymentMethod: string | null;
  readonly description: string | null;
  readonly metadata: Record<string, string>;
  readonly items: readonly NewItem[];
  readonly period: Period;
  /** Seconds; null: no trial. */
  readonly trialEnd: number | null;
  readonly saveDefault: "off" | "on_subscription";
}

/** A new subscription whose first invoice is still to be paid. Nothing is told yet. */
export function createSubscription(world: World, asked: NewSubscription): Stripe.Subscription {
  const id = newId("sub");
  const now = secondsOf(world);
  const { period, trialEnd } = asked;
  const items = asked.items.map((item) => createItem(world, id, item, period));
  const subscription = {
    id,
    object: "subscription",
    ...unusedOfSubscription(),
    billing_cycle_anchor: trialEnd ?? period.start,
    created: now,
    currency: asked.currency,
    customer: asked.customer,
    default_payment_method: asked.defaultPaymentMethod,
    description: asked.description,
    invoice_settings: {
      account_tax_ids: null,
      custom_fields: null,
      description: null,
      footer: null,
      issuer: { type: "self" },
    },
    items: { object: "list", data: items, has_more: false, url: `/v1/subscription_items?subscription=${id}` },
    latest_invoice: null,
    metadata: asked.metadata,
    payment_settings: {
      payment_method_options: null,
      payment_method_types: null,
      save_default_payment_method: asked.saveDefault,
    },
    start_date: now,
    status: trialEnd === null ? "incomplete" : "trialing",
    trial_end: trialEnd,
    trial_settings: {
      end_behavior: { billing_cycle_anchor: null, missing_payment_method: "create_invoice" },
    },
    trial_start: trialEnd === null ? null : now,
  } satisfies Stripe.Subscription;
  world.state.subscriptions.set(id, subscription);
  return subscription;
}
