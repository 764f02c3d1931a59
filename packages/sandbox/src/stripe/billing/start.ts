import type { Stripe } from "stripe";
import type { z } from "zod";
import { amountIn, createPrice, priceOf } from "../catalogue/price.ts";
import { productOf } from "../catalogue/routes.ts";
import type { WirePrice } from "../catalogue/wire-price.ts";
import { checkDefault, customerOf } from "../customer/customer.ts";
import { emit } from "../event/emit.ts";
import { declinedCard } from "../intent/declined.ts";
import { withMetadata } from "../metadata.ts";
import { currencyOf } from "../money.ts";
import { invalid, Refusal } from "../refusal.ts";
import { secondsOf, type World } from "../world.ts";
import { type Collected, collect } from "./collect.ts";
import { draftInvoice, finalizeInvoice, intentOfInvoice } from "./invoice.ts";
import { linesOf } from "./lines.ts";
import type { creating, itemShape } from "./params.ts";
import { periodAt } from "./period.ts";
import {
  createSubscription,
  intervalOf,
  type NewItem,
  type NewSubscription,
  periodOf,
} from "./subscription.ts";
import { whatIf } from "./what-if.ts";

const DAY_SECONDS = 86_400;

/** Starts a subscription and asks for its first payment.
 *  Throws a refusal: prices that do not go together, nothing to pay with, declined where that was to be an error. */
export function startSubscription(world: World, params: Creating): Stripe.Subscription {
  if (params.payment_behavior === "error_if_incomplete") {
    // Tried first in a world that nobody sees: declined, it has never happened.
    refuseIncomplete(world, start(whatIf(world), params).outcome);
  }
  return start(world, params).subscription;
}

type Creating = z.output<typeof creating>;

function start(
  world: World,
  params: Creating,
): { subscription: Stripe.Subscription; outcome: Collected | null } {
  const mayWait = params.payment_behavior === "default_incomplete";
  const asked = newSubscription(world, params);
  checkMethod(world, asked, mayWait);
  const subscription = createSubscription(world, asked);
  subscription.cancel_at_period_end = params.cancel_at_period_end ?? false;
  subscription.cancel_at = subscription.cancel_at_period_end ? periodOf(subscription).end : null;
  emit(world, "customer.subscription.created", subscription);
  const invoice = firstInvoice(world, subscription);
  if (mayWait && invoice.amount_due > 0) {
    intentOfInvoice(world, invoice);
    return { subscription, outcome: null };
  }
  return { subscription, outcome: collect(world, invoice, { isOffSession: params.off_session === true }) };
}

/** Throws a refusal for a payment that does not succeed at once. */
export function refuseIncomplete(world: World, outcome: Collected | null): void {
  if (outcome?.kind === "declined") {
    // A decline that was asked for has come.
    world.faults.takeForCharge();
    throw declinedCard(outcome.decline, {});
  }
  if (outcome?.kind !== "requires_action") return;
  throw new Refusal(402, {
    type: "card_error",
    code: "subscription_payment_intent_requires_action",
    message:
      "Payment for this subscription requires additional user action before it can be completed successfully.",
  });
}

/** Makes and fixes the first invoice; a trial's is about nothing. */
export function firstInvoice(world: World, subscription: Stripe.Subscription): Stripe.Invoice {
  const period = periodOf(subscription);
  const lines = linesOf(world, subscription, period, subscription.status === "trialing");
  const invoice = draftInvoice(world, subscription, lines, "subscription_create", period);
  finalizeInvoice(world, invoice);
  return invoice;
}

function newSubscription(world: World, params: Creating): NewSubscription {
  const customer = customerOf(world, params.customer);
  if (params.default_payment_method !== undefined)
    checkDefault(world, customer, params.default_payment_method, "default_payment_method");
  const items = params.items.map((item, index) => itemOf(world, item, `items[${index}]`));
  const currency = currencyOf(params.currency ?? items[0]!.price.currency);
  checkTogether(world, items, currency);
  const now = secondsOf(world);
  const trialEnd = trialEndOf(params, now);
  const period =
    trialEnd === null ? periodAt(now, intervalOf(items[0]!.price), now) : { start: now, end: trialEnd };
  return {
    customer: customer.id,
    currency,
    defaultPaymentMethod: params.default_payment_method ?? null,
    description: params.description ?? null,
    metadata: withMetadata({}, params.metadata),
    items,
    period,
    trialEnd,
    saveDefault: params.payment_settings?.save_default_payment_method ?? "off",
  };
}

/** The price of an item, known or described. */
export function itemOf(world: World, item: z.output<typeof itemShape>, param: string): NewItem {
  const { price, price_data: described, quantity = 1, metadata } = item;
  if ((price === undefined) === (described === undefined)) {
    throw invalid(
      "You must pass exactly one of price and price_data.",
      `${param}[price]`,
      "parameter_missing",
    );
  }
  const known =
    price === undefined
      ? createPrice(world, { ...described!, product: productOf(world, described!.product).id, active: false })
      : priceOf(world, price, `${param}[price]`);
  if (known.type === "one_time") {
    throw invalid(
      "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.",
      `${param}[price]`,
    );
  }
  return { price: known, quantity, metadata: withMetadata({}, metadata) };
}

/** One subscription has one rhythm and one currency. */
export function checkTogether(world: World, items: readonly NewItem[], currency: string): void {
  const rhythm = ({ recurring }: WirePrice) => `${recurring!.interval} ${recurring!.interval_count}`;
  for (const { price } of items) {
    amountIn(world, price, currency);
    if (rhythm(price) === rhythm(items[0]!.price)) continue;
    throw invalid(
      "All prices on a subscription must have the same `recurring.interval` and `recurring.interval_count`.",
      "items",
    );
  }
}

function trialEndOf(params: Creating, now: number): number | null {
  const { trial_end: end, trial_period_days: days } = params;
  if (days !== undefined) return now + days * DAY_SECONDS;
  if (end === undefined || end === "now") return null;
  if (end > now) return end;
  throw invalid("Invalid timestamp: must be an integer Unix timestamp in the future", "trial_end");
}

function checkMethod(world: World, asked: NewSubscription, mayWait: boolean): void {
  const usual = customerOf(world, asked.customer).invoice_settings.default_payment_method;
  if (mayWait || asked.defaultPaymentMethod !== null || usual !== null || asked.trialEnd !== null) return;
  throw invalid(
    "This customer has no attached payment source or default payment method. Please consider adding a default payment method.",
    "customer",
    "resource_missing",
  );
}
