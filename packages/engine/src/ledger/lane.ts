import type pg from "pg";
import type { Clock } from "../clock/clock.ts";
import {
  type Answer,
  type AttemptDeps,
  type Attempted,
  attemptFromMemory,
  attemptLocked,
  CommandFailed,
} from "./attempt.ts";
import type { Command, Outcome } from "./command.ts";
import { Doubt } from "./doubt.ts";
import { KnownBooks } from "./known-books.ts";
import { prepare } from "./round-trip.ts";
import { LOAD_STATEMENTS } from "./store-load.ts";
import { WRITE_STATEMENTS } from "./store-write.ts";

/** Thrown to callers when the database cannot answer in time. What they asked may or may not have happened:
 *  asking again under the same id is safe and tells. */
export class LedgerUnavailable extends Error {
  override readonly name = "LedgerUnavailable";
}

export interface LaneSettings {
  /** How long a caller waits before it hears LedgerUnavailable. */
  readonly timeoutMilliseconds: number;
  /** How many callers may wait; the next one is turned away at once. */
  readonly queueLimit: number;
  /** How many accounts it remembers, about 1 kB each, so as not to read what it has written itself. */
  readonly knownAccounts: number;
}

export interface LaneDeps {
  /** Makes a new, unconnected client, not in pipeline mode. */
  readonly connect: () => pg.Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: LaneSettings;
}

export interface Log {
  warn(facts: object, message: string): void;
}

interface Waiting extends Attempted {
  readonly deadline: number;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: Error) => void;
  /** Already answered with LedgerUnavailable: not to be started any more. */
  abandoned: boolean;
}

const BATCH_LIMIT = 512;
const WATCH_MILLISECONDS = 100;
const RECONNECT_MILLISECONDS = 50;
/** A database that hangs must not keep the process from ending. */
const GOODBYE_MILLISECONDS = 1000;

/** One connection and the commands that wait for it. It takes whatever waits as soon as it is free: no timer, so a
 *  lone command waits for nothing and load makes its own batches. Right across processes by the row locks alone. */
export class Lane {
  readonly #deps: LaneDeps;
  readonly #known: KnownBooks;
  readonly #doubt = new Doubt();
  #client: pg.Client | null = null;
  #queue: Waiting[] = [];
  #inFlight: Waiting[] = [];
  #running: Promise<void> | null = null;
  #watch: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(deps: LaneDeps) {
    this.#deps = deps;
    this.#known = new KnownBooks(deps.settings.knownAccounts);
  }

  submit(command: Command): Promise<Outcome> {
    const { timeoutMilliseconds, queueLimit } = this.#deps.settings;
    if (this.#closed) return Promise.reject(new LedgerUnavailable("the ledger is closed"));
    if (this.#queue.length >= queueLimit)
      return Promise.reject(new LedgerUnavailable("too many commands wait"));
    return new Promise((resolve, reject) => {
      const deadline = performance.now() + timeoutMilliseconds;
      this.#queue.push({ command, deadline, resolve, reject, abandoned: false, attempted: false });
      this.#watch ??= setInterval(() => this.#abandonLate(), WATCH_MILLISECONDS).unref();
      this.#running ??= this.#run();
    });
  }

  /** Finishes what was submitted, then closes the connection. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
    if (this.#watch !== null) clearInterval(this.#watch);
    const hungUp = setTimeout(() => void this.#disconnect(), GOODBYE_MILLISECONDS);
    await this.#client?.end().catch(() => undefined);
    clearTimeout(hungUp);
  }

  async #run(): Promise<void> {
    // Lets everything that is submitted in this turn of the event loop join the first batch.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, BATCH_LIMIT).filter((waiting) => !waiting.abandoned);
      this.#inFlight = batch;
      await this.#process(batch);
    }
    this.#inFlight = [];
    this.#running = null;
  }

  async #process(batch: Waiting[]): Promise<void> {
    for (;;) {
      const left = batch.filter((waiting) => !waiting.abandoned);
      if (left.length === 0) return;
      try {
        return await this.#attempt(left);
      } catch (error) {
        const cure = await this.#cureFor(error);
        if (cure === "retry") continue;
        return await this.#halve(left, error);
      }
    }
  }

  /** A command that breaks its batch is found by halving and refused alone. */
  async #halve(batch: Waiting[], error: unknown): Promise<void> {
    if (batch.length === 1) {
      const failure = new CommandFailed("the database did not take this command", { cause: error });
      batch[0]!.reject(failure);
      return;
    }
    const middle = Math.ceil(batch.length / 2);
    await this.#process(batch.slice(0, middle));
    await this.#process(batch.slice(middle));
  }

  async #attempt(waiting: readonly Waiting[]): Promise<void> {
    const deps = { client: await this.#connected(), clock: this.#deps.clock, known: this.#known };
    const left = this.#doubt.isOver() ? await this.#fromMemory(deps, waiting) : waiting;
    if (left.length === 0) return;
    const answers = await attemptLocked(deps, left);
    for (const [index, waiter] of left.entries()) answer(waiter, answers[index]!);
  }

  /** Answers what can be done from memory; what is left has to be read. */
  async #fromMemory(deps: AttemptDeps, waiting: readonly Waiting[]): Promise<readonly Waiting[]> {
    const answers = await attemptFromMemory(deps, waiting);
    if (answers === "stale") {
      this.#doubt.grow();
      return waiting;
    }
    this.#doubt.shrink();
    return waiting.filter((waiter, index) => {
      const own = answers[index]!;
      if (own !== null) answer(waiter, own);
      return own === null;
    });
  }

  async #connected(): Promise<pg.Client> {
    if (this.#client !== null) return this.#client;
    const client = this.#deps.connect();
    client.on("error", () => this.#forget(client));
    client.on("end", () => this.#forget(client));
    await client.connect();
    await prepare(client, [...LOAD_STATEMENTS, ...WRITE_STATEMENTS]);
    this.#known.clear();
    this.#client = client;
    return client;
  }

  #forget(client: pg.Client): void {
    if (this.#client === client) this.#client = null;
  }

  /** Nothing is lost by trying again: every command has its key. A connection that has seen an error is replaced. */
  async #cureFor(error: unknown): Promise<"retry" | "halve"> {
    const code = sqlState(error);
    await this.#disconnect();
    if (code !== null && /^(22|23|42|54)/.test(code)) return "halve";
    this.#deps.log.warn({ err: error }, "a ledger batch is tried again");
    await new Promise((resolve) => setTimeout(resolve, RECONNECT_MILLISECONDS));
    return "retry";
  }

  /** Without waiting for the other side, which may be gone. */
  async #disconnect(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    if (client === null) return;
    const ended = client.end().catch(() => undefined);
    (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    await ended;
  }

  #abandonLate(): void {
    const now = performance.now();
    let isLate = false;
    for (const waiting of [...this.#inFlight, ...this.#queue]) {
      if (waiting.abandoned || waiting.deadline > now) continue;
      waiting.abandoned = true;
      waiting.reject(new LedgerUnavailable("the database did not answer in time"));
      isLate ||= this.#inFlight.includes(waiting);
    }
    // A connection that hangs without an error would hold the lane for ever.
    if (isLate) void this.#disconnect();
  }
}

function answer(waiting: Waiting, outcome: Answer): void {
  if (outcome instanceof CommandFailed) {
    waiting.reject(outcome);
    return;
  }
  const isOwnDoing = outcome.kind === "duplicate" && waiting.attempted;
  waiting.resolve(isOwnDoing ? { kind: "done", result: outcome.result } : outcome);
}

function sqlState(error: unknown): string | null {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) ? code : null;
}
