import type { Ack } from "@bursar/contract/socket/server-messages";
import { SocketRefused } from "./errors.ts";

interface Waiting {
  readonly text: string;
  readonly resolve: (ack: Ack) => void;
  readonly reject: (error: Error) => void;
}

const MOST_MESSAGES = 1000;
const MOST_CHARACTERS = 8 * 1024 * 1024;

/** What was said and not acknowledged: it is said again, in order, on the next connection. Bounded. */
export class Outbox {
  readonly #waiting = new Map<number, Waiting>();
  #characters = 0;

  /** Resolves with the acknowledgement. Throws: too much waits already. */
  add(txid: number, text: string): Promise<Ack> {
    if (this.#waiting.size >= MOST_MESSAGES || this.#characters + text.length > MOST_CHARACTERS)
      return Promise.reject(new SocketRefused("outbox_full", "too much waits for the connection"));
    this.#characters += text.length;
    return new Promise((resolve, reject) => this.#waiting.set(txid, { text, resolve, reject }));
  }

  settle(ack: Ack): void {
    const waiting = this.#take(ack.txid);
    if (waiting === undefined) return;
    if (ack.success) waiting.resolve(ack);
    else
      waiting.reject(
        new SocketRefused(ack.error ?? "internal", ack.message ?? "refused", { param: ack.param }),
      );
  }

  /** In the order they were said in. */
  texts(): string[] {
    return [...this.#waiting.values()].map(({ text }) => text);
  }

  fail(error: Error): void {
    for (const txid of [...this.#waiting.keys()]) this.#take(txid)?.reject(error);
  }

  #take(txid: number | null): Waiting | undefined {
    const waiting = txid === null ? undefined : this.#waiting.get(txid);
    if (waiting === undefined || txid === null) return undefined;
    this.#waiting.delete(txid);
    this.#characters -= waiting.text.length;
    return waiting;
  }
}
