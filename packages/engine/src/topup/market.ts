import type { Deps } from "../deps.ts";
import { mostCreditsFor, priceOf } from "../price/credit-price.ts";
import type { Market } from "./decide.ts";

/** What the price book in force sells; null where it sells no credits. */
export async function marketOf(deps: Pick<Deps, "prices">): Promise<Market | null> {
  const sales = (await deps.prices.current()).body.credits;
  if (sales === undefined) return null;
  return {
    minimum: sales.minimum,
    maximum: sales.maximum,
    priceOf: (credits, currency) => priceOf(sales, credits, currency),
    mostCreditsFor: (money, currency) => mostCreditsFor(sales, money, currency),
  };
}
