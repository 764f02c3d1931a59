/** What was answered: JSON, or why there was nothing to answer. */
export type Answer = { readonly text: string } | { readonly error: string };

const REMEMBERED = 256;
/** Of answers, all together. */
const MOST_CHARACTERS = 16 * 1024 * 1024;
const NOT_KEPT: Answer = { error: "This was carried out, and its answer was too large to be kept" };

/** What this client has been asked to do, and what it answered, so that nothing is done twice. Bounded: the oldest go
 *  first, their answers before their names. */
export class Done {
  /** null: at work. */
  readonly #answers = new Map<string, Answer | null>();
  #characters = 0;

  has(requestId: string): boolean {
    return this.#answers.has(requestId);
  }

  /** null: it is not known, or still at work. */
  get(requestId: string): Answer | null {
    return this.#answers.get(requestId) ?? null;
  }

  begin(requestId: string): void {
    this.#answers.set(requestId, null);
    for (const [oldest, answer] of this.#answers) {
      if (this.#answers.size <= REMEMBERED) return;
      this.#characters -= sizeOf(answer);
      this.#answers.delete(oldest);
    }
  }

  end(requestId: string, answer: Answer): void {
    if (!this.#answers.has(requestId)) return;
    this.#answers.set(requestId, answer);
    this.#characters += sizeOf(answer);
    for (const [oldest, kept] of this.#answers) {
      if (this.#characters <= MOST_CHARACTERS) return;
      if (kept === null || sizeOf(kept) <= sizeOf(NOT_KEPT)) continue;
      this.#characters -= sizeOf(kept) - sizeOf(NOT_KEPT);
      this.#answers.set(oldest, NOT_KEPT);
    }
  }
}

function sizeOf(answer: Answer | null): number {
  if (answer === null) return 0;
  return "text" in answer ? answer.text.length : answer.error.length;
}
