import { isTokenCount, outputTokensIn } from "@bursar/engine/price/reported";
import { isObject } from "../ask/fields.ts";

/** Tokens of one call. `inputTokens` includes the cached ones. */
export interface Usage {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  /** Output that the caller never sees; part of `outputTokens`. */
  readonly hiddenTokens: number;
}

/** Reads an upstream's `usage`. null when there is none, or when it is none that can be billed: negative, fractional,
 *  absurdly large, or text. Then the gateway's own count holds. */
export function readUsage(value: unknown): Usage | null {
  if (!isObject(value)) return null;
  const inputTokens = countOf(value["prompt_tokens"]);
  const shownTokens = countOf(value["completion_tokens"] ?? 0);
  if (inputTokens === null || shownTokens === null) return null;
  const cached = detail(value["prompt_tokens_details"], "cached_tokens");
  const hidden = detail(value["completion_tokens_details"], "reasoning_tokens");
  const reported = { input: inputTokens, shown: shownTokens, total: value["total_tokens"] };
  const outputTokens = outputTokensIn(reported);
  // Some send zeros where they have not counted.
  if (inputTokens === 0 && outputTokens === 0) return null;
  return {
    inputTokens,
    cachedInputTokens: Math.min(cached, inputTokens),
    outputTokens,
    hiddenTokens: Math.min(Math.max(hidden, outputTokens - shownTokens), outputTokens),
  };
}

function countOf(value: unknown): number | null {
  return isTokenCount(value) ? value : null;
}

function detail(details: unknown, field: string): number {
  return isObject(details) ? (countOf(details[field]) ?? 0) : 0;
}
