import type { SessionAnswer } from "@bursar/contract/socket/server-messages";

/** How many former lives of a session are remembered. */
const REMEMBERED = 16;

/** What has come of a session. Each process that it has been in numbers its own messages, and a client may come back to
 *  one that it has left: it has not had there what it has had elsewhere. */
export class Position {
  readonly clientSessionId: string;
  #life: string | undefined;
  #lastSeq = 0;
  /** The last message of each life. */
  readonly #before = new Map<string, number>();

  constructor(clientSessionId: string) {
    this.clientSessionId = clientSessionId;
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** What an identify says. */
  get told(): { readonly clientSessionId: string; readonly lastSeq: number; readonly life?: string } {
    const { clientSessionId } = this;
    return {
      clientSessionId,
      lastSeq: this.#lastSeq,
      ...(this.#life === undefined ? {} : { life: this.#life }),
    };
  }

  /** False: it has come before. */
  take(seq: number): boolean {
    if (seq <= this.#lastSeq) return false;
    this.#lastSeq = seq;
    return true;
  }

  goOn({ life, nextSeq }: SessionAnswer): void {
    if (this.#life !== undefined) this.#before.set(this.#life, this.#lastSeq);
    const [oldest] = this.#before.keys();
    if (this.#before.size > REMEMBERED) this.#before.delete(oldest!);
    this.#life = life;
    this.#lastSeq = Math.max(nextSeq - 1, this.#before.get(life) ?? 0);
  }
}
