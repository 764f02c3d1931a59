import type { CreditSales } from "@bursar/contract/operations/prices";
import type { Deps } from "../deps.ts";
import { mostCreditsFor, priceOf } from "../price/credit-price.ts";
import { NoPriceBook } from "../price/prices.ts";
import type { Market } from "./decide.ts";

/** What the price book in force sells; null where it sells no credits, or there is none yet. */
export async function marketOf(deps: Pick<Deps, "prices">): Promise<Market | null> {
  const sales = await salesOf(deps);
  if (sales === undefined) return null;
  return {
    minimum: sales.minimum,
    maximum: sales.maximum,
    priceOf: (credits, currency) => priceOf(sales, credits, currency),
    mostCreditsFor: (money, currency) => mostCreditsFor(sales, money, currency),
  };
}

async function salesOf({ prices }: Pick<Deps, "prices">): Promise<CreditSales | undefined> {
  try {
    return (await prices.current()).body.credits;
  } catch (error) {
    if (error instanceof NoPriceBook) return undefined;
    throw error;
  }
}
