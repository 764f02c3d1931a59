import type { Meter } from "./meter.ts";
import type { Bill } from "./settlements.ts";

/** Vocabularies differ, and who thinks a little unseen does little harm. */
const FACTOR = 1.5;
const SMALL_TOKENS = 32;

/** Whether a model has billed, for an answer that came to its end, what it did not show. Its streams cannot be stopped by
 *  what is counted here. */
export function isUnseen({ source, usage }: Bill, shown: Meter): boolean {
  const isMore = usage.outputTokens > shown.atMost * FACTOR + SMALL_TOKENS;
  return source === "upstream" && usage.hiddenTokens > 0 && isMore;
}
