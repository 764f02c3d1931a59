import type { MicroCredits } from "@bursar/contract/money";
import { affordableOutputTokens, cheaperModel, costOf, type PriceBook, ratesFor } from "../price/decide.ts";
import type { Work } from "../price/work.ts";

/** What these credits still pay for: output tokens of this model, and, if the work does not fit, a model it does. */
export interface Affordable {
  readonly maxOutputTokens: number | null;
  readonly model?: string;
}

export function affordableFor(book: PriceBook, work: Work, credits: MicroCredits): Affordable {
  if (work.kind !== "tokens") return { maxOutputTokens: null };
  const { model, inputTokens, maxOutputTokens: outputTokens } = work;
  const rates = ratesFor(book, model);
  if (rates === null) return { maxOutputTokens: null };
  const maxOutputTokens = affordableOutputTokens(rates, inputTokens, credits);
  const fits = costOf(rates, { inputTokens, cachedInputTokens: 0, outputTokens }) <= credits;
  const cheaper = fits ? null : cheaperModel(book, { model, inputTokens, outputTokens }, credits);
  return cheaper === null ? { maxOutputTokens } : { maxOutputTokens, model: cheaper };
}
