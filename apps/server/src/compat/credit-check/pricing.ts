import type { PriceBook } from "@bursar/engine/price/decide";
import type { Cost } from "@bursar/engine/price/work";

/** The entry of the price book that stands for models without one of their own. */
export const DEFAULT_MODEL = "default";

/** The model itself where it has a price, else the default entry where there is one. */
export function pricedModel(book: PriceBook, modelId: string): string {
  const { models } = book.body;
  return Object.hasOwn(models, modelId) || !Object.hasOwn(models, DEFAULT_MODEL) ? modelId : DEFAULT_MODEL;
}

/** Tokens of which nobody says whether they were read or written cost as written ones do, which is never too little. */
export function costOfTokens(model: string, tokens: number): Extract<Cost, { kind: "usage" }> {
  return { kind: "usage", model, inputTokens: 0, cachedInputTokens: 0, outputTokens: tokens };
}
