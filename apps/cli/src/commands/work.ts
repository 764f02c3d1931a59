import type { Command } from "commander";
import { usageFailure } from "../failure.ts";
import { wholeNumber } from "../values.ts";

/** Work that is priced by tokens before it is done. */
export interface WorkOptions {
  readonly model?: string;
  readonly inputTokens?: number;
  readonly maxOutputTokens?: number;
}

export function addWorkOptions(command: Command): Command {
  return command
    .option("--model <name>", "price it by this model's tokens, instead of an amount")
    .option("--input-tokens <count>", "tokens of the prompt", wholeNumber)
    .option("--max-output-tokens <count>", "the most tokens of the answer", wholeNumber);
}

/** Work that is done: what it used. */
export interface UsageOptions {
  readonly model?: string;
  readonly inputTokens?: number;
  readonly cachedInputTokens?: number;
  readonly outputTokens?: number;
}

export function addUsageOptions(command: Command): Command {
  return command
    .option("--model <name>", "price it by this model's tokens, instead of an amount")
    .option("--input-tokens <count>", "tokens of the prompt, the cached ones included", wholeNumber)
    .option("--cached-input-tokens <count>", "tokens of the prompt that were cached", wholeNumber)
    .option("--output-tokens <count>", "tokens of the answer", wholeNumber);
}

/** The server would say the same, but by the names of its fields. */
export function askForOne(amount: string | undefined, model: string | undefined, tokens: string): void {
  if ((amount === undefined) !== (model === undefined)) return;
  const problem = amount === undefined ? "What does it cost?" : "An amount and a model are too much.";
  throw usageFailure(problem, `Give an amount, such as 2.5, or --model with ${tokens}.`);
}

/** A model's work without tokens costs nothing, and is hardly what was meant. */
export function askForTokens(model: string | undefined, counts: readonly (number | undefined)[]): void {
  const isUncounted = model !== undefined && counts.every((count) => count === undefined);
  if (isUncounted) throw usageFailure("How many tokens?", "Give --input-tokens, or 0 where there were none.");
}

interface Cost {
  readonly amount?: string;
  readonly usage?: { model: string; inputTokens: number; cachedInputTokens?: number; outputTokens: number };
}

/** An amount or a model's usage. Throws: not exactly one of them was given, or no tokens. */
export function costOf(amount: string | undefined, options: UsageOptions): Cost {
  askForOne(amount, options.model, "--input-tokens and --output-tokens");
  askForTokens(options.model, [options.inputTokens, options.outputTokens]);
  const { model, inputTokens = 0, cachedInputTokens, outputTokens = 0 } = options;
  const cached = cachedInputTokens === undefined ? {} : { cachedInputTokens };
  return {
    ...(amount === undefined ? {} : { amount }),
    ...(model === undefined ? {} : { usage: { model, inputTokens, ...cached, outputTokens } }),
  };
}
