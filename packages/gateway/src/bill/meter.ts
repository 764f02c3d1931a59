import type { Output } from "../stream/event.ts";
import { countInTurns, tokenizerIfLoaded } from "../tokens/tokenizer.ts";

/** As with prompts: more than text needs, but for noise. */
const BYTES_PER_TOKEN_AT_LEAST = 2;
/** Nothing else runs while these are counted: a piece of a stream may be a picture of megabytes. */
const MOST_AT_ONCE_CHARACTERS = 8192;

/** Counts output while it flows. Between exact counts it knows a bound that costs next to nothing. */
export class Meter {
  #counted = 0;
  #deltas = 0;
  #tailBound = 0;
  readonly #tails = new Map<number, string>();

  /** No fewer tokens than were written: counted ones, and a bound for the text since. Nor fewer than there were
   *  pieces, because models rarely send less than a token at a time. */
  get atMost(): number {
    return Math.max(this.#counted + this.#tailBound, this.#deltas);
  }

  /** The same, were this added to it. */
  boundWith(outputs: readonly Output[]): number {
    return this.#with(outputs, boundOf);
  }

  /** The same again, with this counted and not only bounded, if the tokenizer is there. */
  countWith(outputs: readonly Output[]): number {
    const count = tokenizerIfLoaded() ?? boundOf;
    return this.#with(outputs, (text) =>
      text.length > MOST_AT_ONCE_CHARACTERS ? boundOf(text) : count(text),
    );
  }

  get isEmpty(): boolean {
    return this.#deltas === 0;
  }

  add(outputs: readonly Output[]): void {
    for (const { index, text } of outputs) {
      this.#deltas += 1;
      this.#tailBound += boundOf(text);
      this.#tails.set(index, (this.#tails.get(index) ?? "") + text);
    }
  }

  /** Counts of what has come since the last time as much as can be counted at once, if the tokenizer is there: bound
   *  and truth meet again. The last word may grow: it stays in the tail, so that the parts count as the whole does. */
  tighten(): void {
    const count = tokenizerIfLoaded();
    if (count === null || this.#tailBound === 0) return;
    let left = MOST_AT_ONCE_CHARACTERS;
    this.#tailBound = 0;
    for (const [index, tail] of this.#tails) {
      const end = lastWordBegins(tail.slice(0, left));
      const rest = tail.slice(end);
      left -= end;
      this.#counted += count(tail.slice(0, end));
      this.#tails.set(index, rest);
      this.#tailBound += boundOf(rest);
    }
  }

  /** All of it, exactly. */
  async total(): Promise<number> {
    const counted = await countInTurns([...this.#tails.values()]);
    this.#counted += counted;
    this.#tailBound = 0;
    this.#tails.clear();
    return this.#counted;
  }

  #with(outputs: readonly Output[], size: (text: string) => number): number {
    const more = outputs.reduce((sum, { text }) => sum + size(text), 0);
    return Math.max(this.#counted + this.#tailBound + more, this.#deltas + outputs.length);
  }
}

export function boundOf(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN_AT_LEAST);
}

/** A word without end is cut all the same. */
const LONGEST_WORD = 64;

/** At the beginning where there is but one word, which may grow like any other. */
function lastWordBegins(text: string): number {
  const begin = Math.max(0, text.lastIndexOf(" "));
  return text.length - begin <= LONGEST_WORD ? begin : text.length;
}
