import { divideRoundingDown, divideRoundingUp, type MicroCredits, smaller } from "@bursar/contract/money";
import type { PriceBookBody } from "@bursar/contract/operations/prices";

/** A version of the price book. Never changed once made, because receipts refer to it. */
export interface PriceBook {
  readonly version: number;
  readonly body: PriceBookBody;
}

/** What one model costs. Rates in micro-credits per million tokens, before the margin. */
export interface Rates {
  readonly input: MicroCredits;
  readonly cachedInput: MicroCredits;
  readonly output: MicroCredits;
  /** Hundredths of a percent added on top. */
  readonly marginBasisPoints: bigint;
  readonly contextTokens: number | null;
  readonly maxOutputTokens: number | null;
  /** True when the model has no price of its own and the book's default applies. */
  readonly isDefault: boolean;
}

/** Tokens of one model. `inputTokens` includes the cached ones. */
export interface TokenUsage {
  readonly model: string;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
}

const TOKENS_PER_PRICE = 1_000_000n;
const BASIS_POINTS = 10_000n;
const SCALE = TOKENS_PER_PRICE * BASIS_POINTS;

/** null for a model without a price, where the book refuses those: nothing is ever free by being unknown. */
export function ratesFor(book: PriceBook, model: string): Rates | null {
  const { models, unknownModel, marginPercent } = book.body;
  const own = Object.hasOwn(models, model) ? models[model] : undefined;
  const price = own ?? (unknownModel === "refuse" ? undefined : unknownModel);
  if (price === undefined) return null;
  return {
    input: price.inputPerMillion,
    cachedInput: price.cachedInputPerMillion ?? price.inputPerMillion,
    output: price.outputPerMillion,
    marginBasisPoints: basisPoints(price.marginPercent ?? marginPercent),
    contextTokens: price.contextTokens ?? null,
    maxOutputTokens: price.maxOutputTokens ?? null,
    isDefault: own === undefined,
  };
}

/** Whether work by it costs nothing, however much it is. */
export function isFree({ input, cachedInput, output }: Rates): boolean {
  return input === 0n && cachedInput === 0n && output === 0n;
}

/** Exact to the micro-credit; the only rounding is the last one, upward. */
export function costOf(rates: Rates, usage: Omit<TokenUsage, "model">): MicroCredits {
  const fresh = usage.inputTokens - usage.cachedInputTokens;
  const millionths =
    rates.input * BigInt(fresh) +
    rates.cachedInput * BigInt(usage.cachedInputTokens) +
    rates.output * BigInt(usage.outputTokens);
  return divideRoundingUp(millionths * (BASIS_POINTS + rates.marginBasisPoints), SCALE);
}

/** The most output tokens that this many credits pay for after the input: cost(input, n) is within the credits and
 *  cost(input, n + 1) is not. 0 when not even the input is covered. Free output is bounded by the model's own limit. */
export function affordableOutputTokens(rates: Rates, inputTokens: number, credits: MicroCredits): number {
  const limit = rates.maxOutputTokens ?? Number.MAX_SAFE_INTEGER;
  const inputCost = costOf(rates, { inputTokens, cachedInputTokens: 0, outputTokens: 0 });
  if (credits < inputCost) return 0;
  const perToken = rates.output * (BASIS_POINTS + rates.marginBasisPoints);
  if (perToken === 0n) return limit;
  const inputMillionths = rates.input * BigInt(inputTokens) * (BASIS_POINTS + rates.marginBasisPoints);
  const tokens = divideRoundingDown(credits * SCALE - inputMillionths, perToken);
  return Number(smaller(tokens, BigInt(limit)));
}

/** The most input tokens, none of them cached, that this many credits pay for. Free input has no bound. */
export function affordableInputTokens(rates: Rates, credits: MicroCredits): number {
  const perToken = rates.input * (BASIS_POINTS + rates.marginBasisPoints);
  if (perToken === 0n) return Number.MAX_SAFE_INTEGER;
  const tokens = divideRoundingDown(credits * SCALE, perToken);
  return Number(smaller(tokens, BigInt(Number.MAX_SAFE_INTEGER)));
}

/** The best other model that this many credits pay for in full: the dearest of those that fit and are cheaper. */
export function cheaperModel(
  book: PriceBook,
  work: Omit<TokenUsage, "cachedInputTokens">,
  credits: MicroCredits,
): string | null {
  const wanted = ratesFor(book, work.model);
  const limit =
    wanted === null ? credits : smaller(credits, costOf(wanted, { ...work, cachedInputTokens: 0 }) - 1n);
  let best: { model: string; cost: MicroCredits } | null = null;
  for (const model of Object.keys(book.body.models)) {
    const rates = ratesFor(book, model);
    if (model === work.model || rates === null || !fits(rates, work)) continue;
    const cost = costOf(rates, { ...work, cachedInputTokens: 0 });
    if (cost <= limit && (best === null || cost > best.cost)) best = { model, cost };
  }
  return best?.model ?? null;
}

function fits(rates: Rates, work: Pick<TokenUsage, "inputTokens" | "outputTokens">): boolean {
  const withinContext =
    rates.contextTokens === null || work.inputTokens + work.outputTokens <= rates.contextTokens;
  return withinContext && (rates.maxOutputTokens === null || work.outputTokens <= rates.maxOutputTokens);
}

/** A rate with the margin, as shown to people: rounded up like a charge. */
export function withMargin(rate: MicroCredits, marginBasisPoints: bigint): MicroCredits {
  return divideRoundingUp(rate * (BASIS_POINTS + marginBasisPoints), BASIS_POINTS);
}

/** "12.5" percent is 1250 basis points. The contract allows at most two decimals. */
function basisPoints(percent: string): bigint {
  const [whole, fraction = ""] = percent.split(".");
  return BigInt(whole!) * 100n + BigInt(fraction.padEnd(2, "0"));
}
