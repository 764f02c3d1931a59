import { formatCredits, type MicroCredits } from "@bursar/contract/money";
import { costOf, type PriceBook, type Rates, ratesFor, type TokenUsage } from "./decide.ts";

/** Work before it is done: a known price, or tokens of a model at most. */
export type Work =
  | { readonly kind: "amount"; readonly amount: MicroCredits }
  | { readonly kind: "feature"; readonly feature: string }
  | {
      readonly kind: "tokens";
      readonly model: string;
      readonly inputTokens: number;
      readonly maxOutputTokens: number;
    };

/** What work really cost: a known price, or the tokens used. */
export type Cost =
  | { readonly kind: "amount"; readonly amount: MicroCredits }
  | { readonly kind: "feature"; readonly feature: string }
  | ({ readonly kind: "usage" } & TokenUsage);

export interface Priced {
  readonly kind: "priced";
  readonly amount: MicroCredits;
  readonly rates: Rates | null;
  /** For the receipt: by which version, at which rates. Absent where the caller named the amount. */
  readonly decision: Readonly<Record<string, unknown>> | undefined;
}

export type Pricing =
  | Priced
  | { readonly kind: "model_unknown"; readonly model: string }
  | { readonly kind: "feature_unknown"; readonly feature: string };

export function priceWork(book: PriceBook, work: Work): Pricing {
  switch (work.kind) {
    case "amount":
      return { kind: "priced", amount: work.amount, rates: null, decision: undefined };
    case "feature":
      return priceFeature(book, work.feature);
    case "tokens": {
      const { model, inputTokens, maxOutputTokens } = work;
      return priceTokens(book, { model, inputTokens, cachedInputTokens: 0, outputTokens: maxOutputTokens });
    }
  }
}

export function priceCost(book: PriceBook, cost: Cost): Pricing {
  switch (cost.kind) {
    case "amount":
      return { kind: "priced", amount: cost.amount, rates: null, decision: undefined };
    case "feature":
      return priceFeature(book, cost.feature);
    case "usage":
      return priceTokens(book, cost);
  }
}

function priceFeature(book: PriceBook, feature: string): Pricing {
  const price = Object.hasOwn(book.body.features, feature) ? book.body.features[feature] : undefined;
  if (price === undefined) return { kind: "feature_unknown", feature };
  return {
    kind: "priced",
    amount: price.price,
    rates: null,
    decision: { priceVersion: book.version, feature },
  };
}

function priceTokens(book: PriceBook, usage: TokenUsage): Pricing {
  const rates = ratesFor(book, usage.model);
  if (rates === null) return { kind: "model_unknown", model: usage.model };
  const amount = costOf(rates, usage);
  return { kind: "priced", amount, rates, decision: decisionOf(book, rates, usage) };
}

/** Everything that the arithmetic needs, so that a receipt can be worked out again by hand. */
function decisionOf(book: PriceBook, rates: Rates, usage: TokenUsage): Record<string, unknown> {
  return {
    priceVersion: book.version,
    model: usage.model,
    inputTokens: usage.inputTokens,
    cachedInputTokens: usage.cachedInputTokens,
    outputTokens: usage.outputTokens,
    inputPerMillion: formatCredits(rates.input),
    cachedInputPerMillion: formatCredits(rates.cachedInput),
    outputPerMillion: formatCredits(rates.output),
    marginBasisPoints: Number(rates.marginBasisPoints),
    unknownModel: rates.isDefault ? "default" : undefined,
  };
}
