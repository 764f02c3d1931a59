import { SESSION_LIMITS } from "@bursar/contract/socket/limits";

interface Kept {
  readonly seq: number;
  readonly text: string;
}

/** In the place of what was dropped, so that its text is not held. */
const GONE: Kept = { seq: 0, text: "" };

/** The last messages of a session, so that a client that lost its socket gets what it missed. Bounded: the oldest go
 *  first, and the client is told where it goes on. */
export class Replay {
  #kept: Kept[] = [];
  /** Index of the oldest that still counts; what lies before it is dropped in blocks. */
  #start = 0;
  #bytes = 0;
  #last = 0;

  /** Number of the newest message; 0 before the first. */
  get lastSeq(): number {
    return this.#last;
  }

  /** Number of the oldest message that is kept, or of the next one to come. */
  get firstSeq(): number {
    return this.#kept[this.#start]?.seq ?? this.#last + 1;
  }

  add(textOf: (seq: number) => string): void {
    this.#last += 1;
    const text = textOf(this.#last);
    this.#kept.push({ seq: this.#last, text });
    this.#bytes += text.length;
    const isOver = () =>
      this.#kept.length - this.#start > SESSION_LIMITS.replayMessages ||
      this.#bytes > SESSION_LIMITS.replayBytes;
    while (isOver() && this.#kept.length - this.#start > 1) this.#dropOldest();
  }

  /** Forgets what has arrived. */
  arrived(seq: number): void {
    while (this.firstSeq <= seq && this.#start < this.#kept.length) this.#dropOldest();
  }

  /** undefined: it is not kept, or does not exist yet. */
  get(seq: number): string | undefined {
    const { firstSeq } = this;
    return seq < firstSeq ? undefined : this.#kept[this.#start + seq - firstSeq]?.text;
  }

  #dropOldest(): void {
    this.#bytes -= this.#kept[this.#start]!.text.length;
    this.#kept[this.#start] = GONE;
    this.#start += 1;
    if (this.#start < 256 && this.#start < this.#kept.length) return;
    this.#kept = this.#kept.slice(this.#start);
    this.#start = 0;
  }
}
