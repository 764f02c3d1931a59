import { z } from "zod";
import { newId } from "../ids.ts";
import { currencyOf } from "../money.ts";
import { invalid, missing } from "../refusal.ts";
import { integer, oneOf, positive, text } from "../wire/shapes.ts";
import { secondsOf, type World } from "../world.ts";
import type { WirePrice } from "./wire-price.ts";

const amount = integer.refine((value) => value >= 0, {
  error: "This value must be greater than or equal to 0.",
});

export const recurring = z.strictObject({
  interval: oneOf("day", "week", "month", "year"),
  interval_count: positive.optional(),
  usage_type: oneOf("licensed").optional(),
});

/** What a price is made of, wherever one is described. */
export const describing = {
  currency: text,
  unit_amount: amount,
  recurring: recurring.optional(),
  tax_behavior: oneOf("exclusive", "inclusive", "unspecified").optional(),
} as const;

export const currencyOptions = z.record(
  text,
  z.strictObject({ unit_amount: amount, tax_behavior: describing.tax_behavior }),
);

export interface NewPrice {
  readonly currency: string;
  readonly unit_amount: number;
  readonly recurring?: z.output<typeof recurring> | undefined;
  readonly tax_behavior?: "exclusive" | "inclusive" | "unspecified" | undefined;
  readonly product: string;
  readonly active?: boolean;
  readonly nickname?: string | null;
  readonly lookupKey?: string | null;
  readonly metadata?: Record<string, string>;
}

/** A new price. Nothing is told yet. Throws a refusal: a currency that is not there. */
export function createPrice(world: World, asked: NewPrice): WirePrice {
  const { recurring } = asked;
  const price: WirePrice = {
    id: newId("price"),
    object: "price",
    active: asked.active ?? true,
    billing_scheme: "per_unit",
    created: secondsOf(world),
    currency: currencyOf(asked.currency),
    custom_unit_amount: null,
    livemode: false,
    lookup_key: asked.lookupKey ?? null,
    metadata: asked.metadata ?? {},
    nickname: asked.nickname ?? null,
    product: asked.product,
    recurring:
      recurring === undefined
        ? null
        : {
            interval: recurring.interval,
            interval_count: recurring.interval_count ?? 1,
            meter: null,
            trial_period_days: null,
            usage_type: "licensed",
          },
    tax_behavior: asked.tax_behavior ?? "unspecified",
    tiers_mode: null,
    transform_quantity: null,
    type: recurring === undefined ? "one_time" : "recurring",
    unit_amount: asked.unit_amount,
    unit_amount_decimal: String(asked.unit_amount),
  };
  world.state.prices.set(price.id, price);
  return price;
}

/** Throws a refusal: there is no such price. */
export function priceOf({ state }: World, id: string, param = "price"): WirePrice {
  const price = state.prices.get(id);
  if (price === undefined) throw missing("price", id, param);
  return price;
}

/** What one costs in a currency, in its minor unit. Throws a refusal: the price has no such currency. */
export function amountIn({ state }: World, price: WirePrice, currency: string): number {
  if (currency === price.currency) return price.unit_amount;
  const option = state.currencyOptions.get(price.id)?.[currency];
  if (option !== undefined) return option;
  throw invalid(
    `The price specified only supports \`${price.currency}\`. This doesn't match the expected currency: \`${currency}\`.`,
    "currency",
  );
}
