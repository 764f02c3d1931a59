/** Counts the tokens of texts, as nearly as one vocabulary can tell for all models. */
export type CountTokens = (texts: readonly string[]) => Promise<number>;

/** Two bytes a token is more than text, code or JSON needs; only noise needs more, and the settlement puts it right. */
export const BYTES_PER_TOKEN_AT_LEAST = 2;
/** How a message is wrapped: role and separators. */
const MESSAGE_TOKENS = 4;
/** Other vocabularies than the one that counts need up to this much more. */
const OTHER_VOCABULARIES = 1.25;
/** From one call of a run to the next, the mixture of text and code changes a little. */
const NEXT_TIME = 1.1;

export interface Input {
  readonly texts: readonly string[];
  readonly messages: number;
}

/** Tells how many tokens an input has, and learns from what the provider counted: the calls of a run are alike. */
export class Estimate {
  readonly #count: CountTokens;
  /** Tokens a byte, the most that was seen; 0 before the first call. */
  #densest = 0;

  constructor(count: CountTokens) {
    this.#count = count;
  }

  /** The nearest bound that costs nothing to know. */
  cheapBound(input: Input): number {
    return this.#densest > 0 ? this.#learnt(input) : this.quickBound(input);
  }

  /** Surely enough for ordinary text, and next to free to know. */
  quickBound(input: Input): number {
    return Math.ceil(bytesOf(input) / BYTES_PER_TOKEN_AT_LEAST) + input.messages * MESSAGE_TOKENS;
  }

  /** For when credits are short: as the provider counted before, else counted by us, with room for other vocabularies. */
  async carefulBound(input: Input): Promise<number> {
    if (this.#densest > 0) return this.#learnt(input);
    const tokens = await this.countedInput(input);
    return Math.min(Math.ceil(tokens * OTHER_VOCABULARIES), this.quickBound(input));
  }

  /** What is billed where the provider does not say. */
  async countedInput({ texts, messages }: Input): Promise<number> {
    return (await this.#count(texts)) + messages * MESSAGE_TOKENS;
  }

  countedOutput(texts: readonly string[]): Promise<number> {
    return this.#count([texts.join("")]);
  }

  /** The same with room for other vocabularies: what is reserved for output that has been heard. */
  async carefulOutput(texts: readonly string[]): Promise<number> {
    return Math.ceil((await this.countedOutput(texts)) * OTHER_VOCABULARIES);
  }

  #learnt(input: Input): number {
    return Math.ceil(bytesOf(input) * this.#densest * NEXT_TIME);
  }

  learn(input: Input, tokens: number): void {
    this.#densest = Math.max(this.#densest, tokens / Math.max(bytesOf(input), 1));
  }
}

function bytesOf({ texts }: Input): number {
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}
