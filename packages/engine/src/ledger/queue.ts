import type { Waiting } from "./waiting.ts";

/** The commands that no batch has taken yet, oldest first. */
export class Queue {
  readonly #enough: number;
  #waiting: Waiting[] = [];
  #onEnough: (() => void) | null = null;

  /** `enough`: how many are worth a batch of their own while another one is under way. */
  constructor(enough: number) {
    this.#enough = enough;
  }

  get length(): number {
    return this.#waiting.length;
  }

  add(waiting: Waiting): void {
    this.#waiting.push(waiting);
    this.#tellIfEnough();
  }

  /** Takes the oldest, at most this many, without those that were abandoned. */
  take(limit: number): Waiting[] {
    return this.#waiting.splice(0, limit).filter(({ abandoned }) => !abandoned);
  }

  /** Calls once enough wait, at the end of that turn of the event loop: all that is submitted in it may join. Only the
   *  last caller is called. */
  whenEnough(call: () => void): void {
    this.#onEnough = call;
    this.#tellIfEnough();
  }

  #tellIfEnough(): void {
    if (this.#onEnough === null || this.#waiting.length < this.#enough) return;
    setImmediate(this.#onEnough);
    this.#onEnough = null;
  }

  [Symbol.iterator](): Iterator<Waiting> {
    return this.#waiting[Symbol.iterator]();
  }
}
