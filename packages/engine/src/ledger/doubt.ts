const LIMIT = 64;

/** How long not to trust memory after it was wrong. Where several processes work on the same accounts, or a caller
 *  repeats what was done before, memory is wrong time and again: then batches read first, and memory is asked ever
 *  more rarely until it proves right. */
export class Doubt {
  #batches = 0;
  #next = 1;

  /** Counts one batch down. */
  isOver(): boolean {
    if (this.#batches === 0) return true;
    this.#batches -= 1;
    return false;
  }

  grow(): void {
    this.#batches = this.#next;
    this.#next = Math.min(this.#next * 2, LIMIT);
  }

  shrink(): void {
    this.#next = Math.max(1, this.#next / 2);
  }
}
