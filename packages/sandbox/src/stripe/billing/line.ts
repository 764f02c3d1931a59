import type { Stripe } from "stripe";
import type { WirePrice } from "../catalogue/wire-price.ts";
import { newId } from "../ids.ts";
import { formatAmount } from "../money.ts";
import type { Period } from "./period.ts";

/** One line of an invoice, in minor units; negative for what is given back. */
export interface Line {
  readonly id: string;
  readonly amount: number;
  readonly currency: string;
  readonly description: string;
  readonly price: WirePrice;
  readonly quantity: number;
  readonly period: Period;
  readonly isProration: boolean;
  readonly subscription: string;
  readonly item: string;
}

export interface Charged {
  readonly subscription: string;
  readonly item: string;
  readonly price: WirePrice;
  readonly unitAmount: number;
  readonly quantity: number;
  readonly currency: string;
}

/** By id. */
type Products = ReadonlyMap<string, Stripe.Product>;

/** A whole period of one item. */
export function wholeLine(products: Products, charged: Charged, period: Period): Line {
  const { price, quantity, currency, unitAmount } = charged;
  const every = price.recurring === null ? "" : ` / ${price.recurring.interval}`;
  const description = `${quantity} × ${nameOf(products, price)} (at ${formatAmount(unitAmount, currency)}${every})`;
  return line(charged, unitAmount * quantity, description, period, false);
}

/** What is left of a period, given back (negative) or charged. */
export function prorationLine(products: Products, charged: Charged, amount: number, period: Period): Line {
  const name = nameOf(products, charged.price);
  const day = new Date(period.start * 1000).toISOString().slice(0, 10);
  const description = `${amount < 0 ? "Unused" : "Remaining"} time on ${charged.quantity} × ${name} after ${day}`;
  return line(charged, amount, description, period, true);
}

function line(
  charged: Charged,
  amount: number,
  description: string,
  period: Period,
  isProration: boolean,
): Line {
  const { currency, price, quantity, subscription, item } = charged;
  return {
    id: newId("il"),
    amount,
    currency,
    description,
    price,
    quantity,
    period,
    isProration,
    subscription,
    item,
  };
}

function nameOf(products: Products, { product, nickname }: WirePrice): string {
  return products.get(product as string)?.name ?? nickname ?? "Subscription";
}

/** As an invoice shows it. Decimals are text on the wire, where the SDK makes numbers of them. */
export function shownLine(line: Line, invoice: string): Stripe.InvoiceLineItem {
  const { id, amount, currency, description, price, quantity, period, isProration, subscription, item } =
    line;
  const shown = {
    id,
    object: "line_item",
    amount,
    currency,
    description,
    discount_amounts: [],
    discountable: !isProration,
    discounts: [],
    invoice,
    livemode: false,
    metadata: {},
    parent: {
      type: "subscription_item_details",
      invoice_item_details: null,
      subscription_item_details: {
        invoice_item: null,
        proration: isProration,
        proration_details: { credited_items: null },
        subscription,
        subscription_item: item,
      },
    },
    period,
    pretax_credit_amounts: [],
    pricing: {
      type: "price_details",
      price_details: { price: price.id, product: price.product as string },
      unit_amount_decimal: null,
    },
    quantity,
    quantity_decimal: null,
    subscription,
    subtotal: amount,
    taxes: [],
  } satisfies Stripe.InvoiceLineItem;
  Object.assign(shown, {
    quantity_decimal: String(quantity),
    pricing: { ...shown.pricing, unit_amount_decimal: price.unit_amount_decimal },
  });
  return shown;
}
