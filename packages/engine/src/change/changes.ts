import { type AccountId, newRequestId } from "@bursar/contract/ids";
import type { Log } from "@bursar/database/log";
import type { FanOut } from "./fan-out.ts";
import { type ChangeMessage, messagesOf, readMessage } from "./message.ts";

/** Who wants to know which accounts have changed. */
export interface ChangeListener {
  /** Something of these accounts is different from before; what it is, must be read. */
  onChanged(accountIds: readonly AccountId[]): void;
  /** Anything may have changed without notice. */
  onDoubt(): void;
}

/** Tells listeners in every process which accounts have changed, after it is durable. Only ever a hint: what counts is
 *  read again, and a reader that is told nothing is late, never wrong. */
export interface Changes {
  /** For whoever has changed something. Returns at once, and costs nothing where nobody listens. */
  changed(accountIds: Iterable<AccountId>): void;
  /** Returns how to stop. */
  listen(listener: ChangeListener): () => void;
  close(): Promise<void>;
}

export interface ChangesDeps {
  /** null: this process is the only one. */
  readonly fanOut: FanOut | null;
  readonly log: Log;
}

/** Changes are gathered for this long before they go to other processes. */
const GATHER_MILLISECONDS = 5;
/** What could not be told is told again after this long. */
const RETRY_MILLISECONDS = 500;
/** A process with listeners says so this often; one that was not heard for longer than the lease has gone. */
const HERE_MILLISECONDS = 5_000;
const LEASE_MILLISECONDS = 16_000;
/** More accounts than this at once: other processes are told that anything may have changed. */
const LARGEST_GATHERING = 20_000;

export function openChanges(deps: ChangesDeps): Changes {
  return new SharedChanges(deps);
}

class SharedChanges implements Changes {
  readonly #deps: ChangesDeps;
  /** Names this process among its like. */
  readonly #self: string = newRequestId();
  readonly #listeners = new Set<ChangeListener>();
  /** Processes that listen, and until when that is believed. */
  readonly #others = new Map<string, number>();
  #gathered = new Set<AccountId>();
  #isOverflowing = false;
  #sending: NodeJS.Timeout | null = null;
  #here: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(deps: ChangesDeps) {
    this.#deps = deps;
    deps.fanOut?.listen({
      onMessage: (text) => this.#hear(readMessage(text)),
      onConnected: () => {
        this.#say({ from: this.#self, kind: "who" });
        if (this.#listeners.size > 0) this.#sayHere();
        this.#doubt();
      },
    });
  }

  changed(accountIds: Iterable<AccountId>): void {
    const hasOthers = this.#others.size > 0;
    if (!hasOthers && this.#listeners.size === 0) return;
    // What is given may be gone through only once.
    const ids = [...accountIds];
    for (const listener of this.#listeners) listener.onChanged(ids);
    if (hasOthers) this.#gather(ids);
  }

  listen(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1 && this.#deps.fanOut !== null) {
      this.#sayHere();
      this.#here = setInterval(() => this.#sayHere(), HERE_MILLISECONDS).unref();
    }
    return () => {
      this.#listeners.delete(listener);
      // Others go on telling us until the lease ends: whoever listens again by then has missed nothing.
      if (this.#listeners.size === 0 && this.#here !== null) clearInterval(this.#here);
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#here !== null) clearInterval(this.#here);
    if (this.#sending !== null) clearTimeout(this.#sending);
    await this.#send();
    await this.#deps.fanOut?.close();
  }

  #hear(message: ChangeMessage | null): void {
    if (message === null || message.from === this.#self) return;
    switch (message.kind) {
      case "who":
        if (this.#listeners.size > 0) this.#sayHere();
        return;
      case "here":
        this.#meet(message.from);
        return;
      case "doubt":
        if ((message.to ?? this.#self) === this.#self) this.#doubt();
        return;
      case "changed":
        for (const listener of this.#listeners) listener.onChanged(message.accountIds);
    }
  }

  /** Who is new here has not been told what changed until now, and may have read before it did. */
  #meet(other: string): void {
    const isNew = !this.#others.has(other);
    this.#others.set(other, performance.now() + LEASE_MILLISECONDS);
    if (!isNew) return;
    const doubt: ChangeMessage = { from: this.#self, kind: "doubt", to: other };
    // Untold, it stays unknown: it will say again that it is here.
    this.#deps.fanOut?.publish(JSON.stringify(doubt)).catch(() => this.#others.delete(other));
  }

  #doubt(): void {
    for (const listener of this.#listeners) listener.onDoubt();
  }

  #gather(accountIds: readonly AccountId[]): void {
    if (!this.#isOverflowing) for (const accountId of accountIds) this.#gathered.add(accountId);
    this.#isOverflowing ||= this.#gathered.size > LARGEST_GATHERING;
    this.#sendAfter(GATHER_MILLISECONDS);
  }

  #sendAfter(milliseconds: number): void {
    if (this.#isClosed) return;
    this.#sending ??= setTimeout(() => {
      void this.#send().then((isSent) => {
        this.#sending = null;
        if (this.#gathered.size > 0) this.#sendAfter(isSent ? GATHER_MILLISECONDS : RETRY_MILLISECONDS);
      });
    }, milliseconds).unref();
  }

  /** False: others could not be told, and are to be told again, so that the last change is not lost to them. */
  async #send(): Promise<boolean> {
    const { fanOut, log } = this.#deps;
    const gathered = this.#gathered;
    const isOverflowing = this.#isOverflowing;
    this.#gathered = new Set();
    this.#isOverflowing = false;
    this.#forgetTheGone();
    if (fanOut === null || gathered.size === 0 || this.#others.size === 0) return true;
    try {
      for (const text of messagesOf(this.#self, isOverflowing ? null : gathered)) await fanOut.publish(text);
      return true;
    } catch (error) {
      log.warn(
        { err: error, accounts: gathered.size },
        "other processes were not told of changes; trying again",
      );
      for (const accountId of gathered) this.#gathered.add(accountId);
      this.#isOverflowing ||= isOverflowing;
      return false;
    }
  }

  #forgetTheGone(): void {
    const now = performance.now();
    for (const [name, until] of this.#others) if (until < now) this.#others.delete(name);
  }

  #sayHere(): void {
    this.#say({ from: this.#self, kind: "here" });
  }

  /** Best effort: it is said again, and asked for at every connection. */
  #say(message: ChangeMessage): void {
    void this.#deps.fanOut?.publish(JSON.stringify(message)).catch(() => undefined);
  }
}
