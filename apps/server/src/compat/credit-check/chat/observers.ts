import { newRequestId } from "@bursar/contract/ids";
import type { FanOut } from "@bursar/engine/change/fan-out";
import type { Log } from "@bursar/engine/deps";
import { type Assembly, openAssembly } from "./assembly.ts";
import type { ChatEvent } from "./event.ts";
import { openOutgoing } from "./outgoing.ts";
import { type ObserverMessage, readObserverMessage, sessionMessages, toText } from "./wire.ts";

type Listener = (event: ChatEvent) => void;

/** Who watches which chat live. */
export interface Observers {
  /** Returns at once; what nobody watches costs nothing and leaves this process for nobody. */
  publish(sessionId: string, event: ChatEvent): void;
  /** Resolves when other processes have been told, or cannot be, with how to stop. */
  watch(sessionId: string, listener: Listener): Promise<() => void>;
}

/** Whoever watches says so this often; one that was not heard for longer than the lease has gone. */
const HERE_MILLISECONDS = 5_000;
const LEASE_MILLISECONDS = 16_000;

/** Watchers in every process that `fanOut` reaches; null: in this one. */
export function openObservers(deps: { readonly fanOut: FanOut | null; readonly log: Log }): Observers {
  return new SharedObservers(deps.fanOut, deps.log);
}

class SharedObservers implements Observers {
  readonly #fanOut: FanOut | null;
  /** Names this process among its like. */
  readonly #self: string = newRequestId();
  readonly #watchers = new Map<string, Set<Listener>>();
  /** Which other processes watch a chat, and until when that is believed. */
  readonly #elsewhere = new Map<string, Map<string, number>>();
  readonly #assembly: Assembly = openAssembly();
  readonly #outgoing;
  #here: NodeJS.Timeout | null = null;

  constructor(fanOut: FanOut | null, log: Log) {
    this.#fanOut = fanOut;
    this.#outgoing = openOutgoing({ from: this.#self, publish: (text) => this.#publish(text), log });
    fanOut?.listen({
      onMessage: (text) => this.#hear(readObserverMessage(text)),
      onConnected: () => {
        this.#say(toText({ from: this.#self, kind: "who" }));
        void this.#announce(this.#watchers.keys());
      },
    });
  }

  publish(sessionId: string, event: ChatEvent): void {
    this.#show(sessionId, event);
    if (this.#isWatchedElsewhere(sessionId)) this.#outgoing.add(sessionId, event);
    else this.#outgoing.forget(sessionId);
  }

  async watch(sessionId: string, listener: Listener): Promise<() => void> {
    const listeners = this.#watchers.get(sessionId) ?? new Set();
    this.#watchers.set(sessionId, listeners.add(listener));
    this.#here ??= setInterval(() => void this.#announce(this.#watchers.keys()), HERE_MILLISECONDS).unref();
    if (listeners.size === 1) await this.#announce([sessionId]);
    return () => {
      if (!listeners.delete(listener) || listeners.size > 0) return;
      this.#watchers.delete(sessionId);
      this.#assembly.forget(sessionId);
      for (const text of sessionMessages(this.#self, "left", [sessionId])) this.#say(text);
      if (this.#watchers.size > 0 || this.#here === null) return;
      clearInterval(this.#here);
      this.#here = null;
    };
  }

  #show(sessionId: string, event: ChatEvent): void {
    for (const listener of this.#watchers.get(sessionId) ?? []) listener(event);
  }

  #hear(message: ObserverMessage | null): void {
    if (message === null || message.from === this.#self) return;
    switch (message.kind) {
      case "who":
        void this.#announce(this.#watchers.keys());
        return;
      case "watching":
        for (const sessionId of message.sessions) this.#believe(sessionId, message.from);
        return;
      case "left":
        for (const sessionId of message.sessions) this.#elsewhere.get(sessionId)?.delete(message.from);
        return;
      case "piece": {
        if (!this.#watchers.has(message.session)) return;
        const { hasMissed, event } = this.#assembly.take(message);
        if (hasMissed) this.#show(message.session, { type: "missed" });
        if (event !== null) this.#show(message.session, event);
      }
    }
  }

  #believe(sessionId: string, process: string): void {
    const processes = this.#elsewhere.get(sessionId) ?? new Map<string, number>();
    this.#elsewhere.set(sessionId, processes.set(process, performance.now() + LEASE_MILLISECONDS));
    // Whatever has run out meanwhile goes with the next that comes.
    for (const known of this.#elsewhere.keys()) this.#isWatchedElsewhere(known);
  }

  #isWatchedElsewhere(sessionId: string): boolean {
    const processes = this.#elsewhere.get(sessionId);
    if (processes === undefined) return false;
    const now = performance.now();
    for (const [process, until] of processes) if (until < now) processes.delete(process);
    if (processes.size === 0) this.#elsewhere.delete(sessionId);
    return processes.size > 0;
  }

  async #announce(sessionIds: Iterable<string>): Promise<void> {
    for (const text of sessionMessages(this.#self, "watching", sessionIds)) {
      // It is said again, and asked for at every connection.
      await this.#publish(text).catch(() => undefined);
    }
  }

  /** Best effort: what is not heard runs out. */
  #say(text: string): void {
    void this.#publish(text).catch(() => undefined);
  }

  async #publish(text: string): Promise<void> {
    await this.#fanOut?.publish(text);
  }
}
