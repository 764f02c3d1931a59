import type { Meter } from "./meter.ts";
import type { Bill } from "./settlements.ts";

/** More models than anybody offers. */
const LARGEST = 10_000;
/** Vocabularies differ, and who thinks a little unseen does little harm. */
const FACTOR = 1.5;
const SMALL_TOKENS = 32;

/** The models that were seen to bill what they do not show. Their streams cannot be stopped by what is counted here. */
export class Thinkers {
  readonly #models = new Set<string>();

  has(model: string): boolean {
    return this.#models.has(model);
  }

  /** Learns from an answer that came to its end. */
  note(model: string, { source, usage }: Bill, shown: Meter): void {
    const isUnseen = usage.hiddenTokens > 0 && usage.outputTokens > shown.atMost * FACTOR + SMALL_TOKENS;
    if (source === "upstream" && isUnseen && this.#models.size < LARGEST) this.#models.add(model);
  }
}
