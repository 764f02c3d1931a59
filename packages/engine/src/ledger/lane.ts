import type { AccountId } from "@bursar/contract/ids";
import type pg from "pg";
import type { Clock } from "../clock/clock.ts";
import { type Answer, attemptLocked, CommandFailed, carryOut, type Plan, planFromMemory } from "./attempt.ts";
import type { Command, Outcome } from "./command.ts";
import { Doubt } from "./doubt.ts";
import { KnownBooks } from "./known-books.ts";
import { Queue } from "./queue.ts";
import { prepare } from "./round-trip.ts";
import { LOAD_STATEMENTS } from "./store-load.ts";
import { PLANNING } from "./store-statement.ts";
import { rollBack, WRITE_STATEMENTS } from "./store-write.ts";
import { respond, type Sent, settled, type Waiting, type Written, waitingOf } from "./waiting.ts";

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
  /** Fewer commands than this wait for the batch before them, and gather: a batch has a price of its own. Twice as many
   *  are divided, so that one half is planned while the other is being written. */
  readonly planAheadFrom: number;
}

export interface LaneDeps {
  /** Makes a new, unconnected client, not in pipeline mode. */
  readonly connect: () => pg.Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: LaneSettings;
  /** Told which accounts a batch may have changed, once it is durable. Must return at once and never throw. */
  readonly onCommitted?: ((accountIds: Iterable<AccountId>) => void) | undefined;
}

export interface Log {
  warn(facts: object, message: string): void;
}

const BATCH_LIMIT = 512;
const NOTHING_KNOWN = new KnownBooks(0);
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
  readonly #queue: Queue;
  #inFlight: Waiting[] = [];
  #running: Promise<void> | null = null;
  #watch: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(deps: LaneDeps) {
    this.#deps = deps;
    this.#known = new KnownBooks(deps.settings.knownAccounts);
    this.#queue = new Queue(deps.settings.planAheadFrom);
  }

  submit(command: Command): Promise<Outcome> {
    const { timeoutMilliseconds, queueLimit } = this.#deps.settings;
    if (this.#closed) return Promise.reject(new LedgerUnavailable("the ledger is closed"));
    if (this.#queue.length >= queueLimit)
      return Promise.reject(new LedgerUnavailable("too many commands wait"));
    return new Promise((resolve, reject) => {
      const deadline = performance.now() + timeoutMilliseconds;
      this.#queue.add({ command, deadline, resolve, reject, abandoned: false, attempted: false });
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
    let sent: Sent | null = null;
    while (sent !== null || this.#queue.length > 0) {
      if (sent !== null) sent = await this.#follow(sent);
      else {
        const plan = this.#plan();
        sent = plan.done.length === 0 ? await this.#read(plan.left) : await this.#send(plan);
      }
    }
    this.#inFlight = [];
    this.#running = null;
  }

  /** Takes what waits and plans what memory allows; all of it is left to be read while memory is in doubt, as it is
   *  without a connection: who answers next may be another server. */
  #plan(): Plan<Waiting> {
    const half = Math.ceil((this.#queue.length + this.#inFlight.length) / 2);
    const worthDividing = 2 * this.#deps.settings.planAheadFrom;
    const batch = this.#queue.take(Math.min(Math.max(half, worthDividing), BATCH_LIMIT));
    this.#inFlight.push(...batch);
    const isKnown = this.#client !== null && this.#doubt.isOver();
    const known = isKnown ? this.#known : NOTHING_KNOWN;
    return planFromMemory(known, batch, this.#deps.clock.now());
  }

  /** Sends a plan once there is a connection. Without one, its work is done by reading. */
  async #send(plan: Plan<Waiting>): Promise<Sent | null> {
    try {
      const client = await this.#connected();
      return { plan, written: settled(carryOut(client, plan, "in turn")) };
    } catch (error) {
      await this.#cureFor(error);
      return this.#redo(plan);
    }
  }

  /** Waits for a plan that is being written. Meanwhile the next batch is planned and sent behind it, so that neither
   *  side waits for the other: when the first fails, so does the second, because it relies on it. Returns that second. */
  async #follow({ plan, written }: Sent): Promise<Sent | null> {
    // What is left of this batch comes before the next on its accounts.
    const isTime = plan.left.length === 0 && (await this.#enoughBefore(written));
    const next = isTime ? this.#sendAhead() : null;
    const outcome = await written;
    if (outcome.kind === "committed") {
      this.#committed(plan, next?.plan ?? null);
      return plan.left.length > 0 ? this.#read(plan.left) : next;
    }
    const followed = await next?.written;
    await this.#recover(outcome);
    await this.#redo(plan);
    if (next === null) return null;
    // Where the next plan wrote nothing, nothing has proved the books that it took over from this one.
    const isProved = followed?.kind === "committed" && next.plan.done.length > 0;
    if (!isProved) return this.#redo(next.plan);
    this.#committed(next.plan, null);
    return this.#read(next.plan.left);
  }

  /** Whether enough wait for a batch of their own before this one is written. */
  #enoughBefore(written: Sent["written"]): Promise<boolean> {
    return new Promise((resolve) => {
      void written.then(() => resolve(false));
      this.#queue.whenEnough(() => resolve(true));
    });
  }

  #sendAhead(): Sent | null {
    const client = this.#client;
    if (client === null) return null;
    const next = this.#plan();
    if (next.done.length > 0) return { plan: next, written: settled(carryOut(client, next, "ahead")) };
    // Nothing to write: in its turn all of it is read.
    return { plan: next, written: Promise.resolve({ kind: "committed" }) };
  }

  #committed(plan: Plan<Waiting>, next: Plan<Waiting> | null): void {
    for (const [id, book] of plan.books) if (next?.books.has(id) !== true) this.#known.keep(book);
    for (const { waiting, answer } of plan.done) respond(waiting, answer);
    this.#deps.onCommitted?.(plan.books.keys());
    this.#inFlight = next === null ? [...plan.left] : [...waitingOf(next)];
    this.#doubt.shrink();
  }

  /** Makes the connection usable again after a plan that was not committed. */
  async #recover(outcome: Exclude<Written, { kind: "committed" }>): Promise<void> {
    if (outcome.kind === "failed") return void (await this.#cureFor(outcome.error));
    this.#doubt.grow();
    try {
      if (this.#client !== null) await rollBack(this.#client);
    } catch (error) {
      await this.#cureFor(error);
    }
  }

  /** Does by reading what memory was wrong about. */
  #redo(plan: Plan<Waiting>): Promise<null> {
    for (const id of plan.books.keys()) this.#known.forget(id);
    return this.#read(waitingOf(plan));
  }

  /** Does these by reading first, whatever it takes. */
  async #read(batch: readonly Waiting[]): Promise<null> {
    for (;;) {
      const left = batch.filter((waiting) => !waiting.abandoned);
      if (left.length === 0) break;
      try {
        const answers = await this.#attempt(left);
        for (const [index, waiting] of left.entries()) respond(waiting, answers[index]!);
        this.#deps.onCommitted?.(changedBy(left, answers));
        break;
      } catch (error) {
        if ((await this.#cureFor(error)) === "retry") continue;
        await this.#halve(left, error);
        break;
      }
    }
    const finished = new Set(batch);
    this.#inFlight = this.#inFlight.filter((waiting) => !finished.has(waiting));
    return null;
  }

  async #attempt(waiting: readonly Waiting[]): Promise<Answer[]> {
    const { clock } = this.#deps;
    return attemptLocked({ client: await this.#connected(), clock, known: this.#known }, waiting);
  }

  /** A command that breaks its batch is found by halving and refused alone. */
  async #halve(batch: readonly Waiting[], error: unknown): Promise<void> {
    if (batch.length === 1) {
      const failure = new CommandFailed("the database did not take this command", { cause: error });
      batch[0]!.reject(failure);
      return;
    }
    const middle = Math.ceil(batch.length / 2);
    await this.#read(batch.slice(0, middle));
    await this.#read(batch.slice(middle));
  }

  async #connected(): Promise<pg.Client> {
    if (this.#client !== null) return this.#client;
    const client = this.#deps.connect();
    client.on("error", () => this.#forget(client));
    client.on("end", () => this.#forget(client));
    await client.connect();
    await client.query(PLANNING);
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

/** The accounts of the commands that were done, now or in an attempt whose answer was lost. */
function changedBy(waiting: readonly Waiting[], answers: readonly Answer[]): AccountId[] {
  const isDone = (answer: Answer) =>
    "kind" in answer && (answer.kind === "done" || answer.kind === "duplicate");
  return waiting.filter((_, index) => isDone(answers[index]!)).map(({ command }) => command.accountId);
}

function sqlState(error: unknown): string | null {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) ? code : null;
}
