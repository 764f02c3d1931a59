import type { Stripe } from "stripe";

/** A price as it crosses the wire, where decimals are text. */
export type WirePrice = Omit<Stripe.Price, "currency_options" | "unit_amount_decimal"> & {
  readonly unit_amount: number;
  readonly unit_amount_decimal: string;
};
