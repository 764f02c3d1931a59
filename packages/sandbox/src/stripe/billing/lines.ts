import type { Stripe } from "stripe";
import { amountIn } from "../catalogue/price.ts";
import type { WirePrice } from "../catalogue/wire-price.ts";
import type { World } from "../world.ts";
import { type Charged, type Line, prorationLine, wholeLine } from "./line.ts";
import { type Period, prorated } from "./period.ts";

/** A period of everything that the subscription pays for. */
export function linesOf(
  world: World,
  subscription: Stripe.Subscription,
  period: Period,
  isTrial: boolean,
): Line[] {
  return subscription.items.data.map((item) => {
    const charged = chargedFor(world, subscription, item);
    return wholeLine(world.state.products, isTrial ? { ...charged, unitAmount: 0 } : charged, period);
  });
}

/** What changes in the middle of a period: what was paid for and is not used comes back, what is new is paid from now on. */
export function prorationsOf(
  world: World,
  before: Stripe.Subscription,
  after: Stripe.Subscription,
  period: Period,
  at: number,
): Line[] {
  const [old, current] = [before, after].map(
    ({ items }) => new Map(items.data.map((item) => [item.id, item])),
  );
  const ended = [...old!.values()].filter((item) => !isSame(item, current!.get(item.id)));
  const begun = [...current!.values()].filter((item) => !isSame(item, old!.get(item.id)));
  const rest = { start: at, end: period.end };
  return [...ended.map((item) => part(item, before, -1)), ...begun.map((item) => part(item, after, 1))];

  function part(item: Stripe.SubscriptionItem, owner: Stripe.Subscription, sign: -1 | 1): Line {
    const charged = chargedFor(world, owner, item);
    const amount = sign * prorated(charged.unitAmount * charged.quantity, period, at);
    return prorationLine(world.state.products, charged, amount, rest);
  }
}

/** What is given back of a period that ends before its time. */
export function unusedOf(world: World, subscription: Stripe.Subscription, at: number): Line[] {
  const nothing = { ...subscription, items: { ...subscription.items, data: [] } };
  const [first] = subscription.items.data;
  const period = { start: first!.current_period_start, end: first!.current_period_end };
  return prorationsOf(world, subscription, nothing, period, at);
}

function isSame(item: Stripe.SubscriptionItem, other: Stripe.SubscriptionItem | undefined): boolean {
  return other !== undefined && other.price.id === item.price.id && other.quantity === item.quantity;
}

function chargedFor(
  world: World,
  { id, currency }: Stripe.Subscription,
  item: Stripe.SubscriptionItem,
): Charged {
  const price = item.price as unknown as WirePrice;
  return {
    subscription: id,
    item: item.id,
    price,
    unitAmount: amountIn(world, price, currency),
    quantity: item.quantity ?? 1,
    currency,
  };
}
