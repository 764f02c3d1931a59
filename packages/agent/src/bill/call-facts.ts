import type { HoldId } from "@bursar/contract/ids";
import type { MicroCredits } from "@bursar/contract/money";
import { affordableOutputTokens, costOf, type PriceBook, type Rates } from "@bursar/engine/price/decide";
import type { PlannedCall } from "./billing.ts";
import type { Estimate } from "./tokens.ts";

/** A model call whose hold is open. */
export interface CallFacts {
  readonly call: PlannedCall;
  /** The prices when the call began: they hold until its end. */
  readonly book: PriceBook;
  readonly rates: Rates;
  readonly holdId: HoldId;
  /** The run's budget, which the hold draws from. */
  readonly parentId: HoldId | null;
  readonly estimate: Estimate;
  /** Input tokens that the hold was reckoned with. */
  readonly inputTokens: number;
  /** What was held at first. */
  readonly amount: MicroCredits;
  /** Where the model was told to stop. */
  readonly limitTokens: number;
}

/** What so much output costs, with the input. */
export function costWith(rates: Rates, inputTokens: number, outputTokens: number): MicroCredits {
  return costOf(rates, { inputTokens, cachedInputTokens: 0, outputTokens });
}

/** Output tokens that so many credits pay for after the input, whatever the model's own limit is. */
export function payableTokens(rates: Rates, inputTokens: number, credits: MicroCredits): number {
  return affordableOutputTokens({ ...rates, maxOutputTokens: null }, inputTokens, credits);
}
