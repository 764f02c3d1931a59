import type { Currency } from "@bursar/contract/fiat";
import { divideRoundingUp, MICRO_CREDITS_PER_CREDIT, type MicroCredits } from "@bursar/contract/money";
import type { CreditSales } from "@bursar/contract/operations/prices";

/** What credits cost people, in the currency's minor unit. */
export interface Quote {
  readonly kind: "quoted";
  readonly credits: MicroCredits;
  readonly amount: number;
}

export type Quoting =
  | Quote
  | { readonly kind: "pack_unknown"; readonly known: readonly string[] }
  | { readonly kind: "out_of_range"; readonly minimum: MicroCredits; readonly maximum: MicroCredits }
  | { readonly kind: "currency_not_sold"; readonly currency: Currency };

export function quotePack(sales: CreditSales, id: string, currency: Currency): Quoting {
  const sold = [...sales.tiers, ...sales.packs];
  const pack = sold.find((candidate) => candidate.id === id);
  if (pack === undefined) return { kind: "pack_unknown", known: sold.map((candidate) => candidate.id) };
  const amount = pack.prices[currency];
  if (amount === undefined) return { kind: "currency_not_sold", currency };
  return { kind: "quoted", credits: pack.credits, amount };
}

export function quoteCredits(sales: CreditSales, credits: MicroCredits, currency: Currency): Quoting {
  const { minimum, maximum } = sales;
  if (credits < minimum || credits > maximum) return { kind: "out_of_range", minimum, maximum };
  const amount = priceOf(sales, credits, currency);
  return amount === null ? { kind: "currency_not_sold", currency } : { kind: "quoted", credits, amount };
}

/** The rate of the largest tier that is not above the amount, rounded up to the minor unit; but never more than a tier
 *  that gives at least as much. Below the first tier its rate holds. null: no tier is sold in this currency. */
export function priceOf(sales: CreditSales, credits: MicroCredits, currency: Currency): number | null {
  const tiers = sales.tiers
    .map((tier) => ({ credits: tier.credits, price: tier.prices[currency] }))
    .filter((tier): tier is { credits: MicroCredits; price: number } => tier.price !== undefined)
    .toSorted((a, b) => (a.credits < b.credits ? -1 : 1));
  const rate = tiers.findLast((tier) => tier.credits <= credits) ?? tiers[0];
  if (rate === undefined) return null;
  const proportional = Number(divideRoundingUp(credits * BigInt(rate.price), rate.credits));
  const larger = tiers.filter((tier) => tier.credits >= credits).map((tier) => tier.price);
  return Math.max(1, Math.min(proportional, ...larger));
}

/** The most whole credits that this much money pays for, within what is sold; null: not even the minimum. */
export function mostCreditsFor(sales: CreditSales, money: number, currency: Currency): MicroCredits | null {
  const affordable = (whole: bigint) => {
    const price = priceOf(sales, whole * MICRO_CREDITS_PER_CREDIT, currency);
    return price !== null && price <= money;
  };
  let low = divideRoundingUp(sales.minimum, MICRO_CREDITS_PER_CREDIT);
  let high = sales.maximum / MICRO_CREDITS_PER_CREDIT;
  if (low > high || !affordable(low)) return null;
  while (low < high) {
    const middle = (low + high + 1n) / 2n;
    if (affordable(middle)) low = middle;
    else high = middle - 1n;
  }
  return low * MICRO_CREDITS_PER_CREDIT;
}
