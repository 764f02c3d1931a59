import { countInTurns } from "../tokens/tokenizer.ts";

/** Two bytes a token is more than text, code or JSON needs in today's vocabularies (three to five bytes). Only noise
 *  such as base64 needs more, and there the settlement puts it right. */
const BYTES_PER_TOKEN_AT_LEAST = 2;

/** Vocabularies differ: others than o200k were seen to need up to a third more for the same text. */
const OTHER_VOCABULARIES = 1.25;
const EXTRA_TOKENS = 16;

/** What a call says besides its input is settings: so much of it. */
const SETTINGS_BYTES = 1024;

/** The input of a call, as text to count and a flat number of tokens for all that is not text. */
export class Prompt {
  readonly #texts: readonly string[];
  readonly #flatTokens: number;
  readonly #otherTokens: number;
  /** Surely enough for ordinary text, and next to free: a prompt may be megabytes, and callers wait. */
  readonly quickBound: number;
  #counted: Promise<number> | null = null;

  /** `others`: fields that a model may read, or not. They are in the bounds, and in no count. */
  constructor(texts: readonly string[], flatTokens: number, others: object = {}) {
    this.#texts = texts;
    this.#flatTokens = flatTokens;
    this.#otherTokens = boundOf(Math.max(0, Buffer.byteLength(JSON.stringify(others)) - SETTINGS_BYTES));
    const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    this.quickBound = boundOf(bytes) + flatTokens + this.#otherTokens;
  }

  /** What it is billed as where the upstream does not say. Counted once, in small turns of the event loop. */
  counted(): Promise<number> {
    this.#counted ??= countInTurns(this.#texts).then((tokens) => tokens + this.#flatTokens);
    return this.#counted;
  }

  /** The tighter bound, for when credits are short: counted, with room for other vocabularies. */
  async carefulBound(): Promise<number> {
    return this.#boundOf(await this.counted());
  }

  /** The same where it is no more than `most`; else null, as soon as that is known: what nobody can pay for is not
   *  counted to its end. */
  async carefulBoundUpTo(most: number): Promise<number | null> {
    if (this.#counted === null && this.quickBound > most) {
      const tokens = (await countInTurns(this.#texts, most)) + this.#flatTokens;
      if (this.#boundOf(tokens) > most) return null;
      this.#counted = Promise.resolve(tokens);
    }
    const bound = await this.carefulBound();
    return bound > most ? null : bound;
  }

  #boundOf(counted: number): number {
    const bound = Math.ceil(counted * OTHER_VOCABULARIES) + EXTRA_TOKENS + this.#otherTokens;
    return Math.min(bound, this.quickBound);
  }
}

function boundOf(bytes: number): number {
  return Math.ceil(bytes / BYTES_PER_TOKEN_AT_LEAST);
}
