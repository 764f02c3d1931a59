import { setTimeout as delay } from "node:timers/promises";
import { addSeconds } from "@bursar/contract/instant";
import { isUnavailable } from "../ledger/unavailable.ts";
import { type PromptDeps, RESUMABLE_SECONDS } from "./lease.ts";
import {
  type ClaimedRow,
  deleteRow,
  endRow,
  freeRow,
  type Hand,
  insertStep,
  letGoOfSteps,
  writeOpening,
} from "./store.ts";

/** The prompt is run by another process now: whatever this one still does with it counts for nothing. */
export class PromptLost extends Error {
  override readonly name = "PromptLost";
}

/** How an ended prompt is told to a client who comes back for it. */
const REMEMBERED_SECONDS = 3600;
/** Of one prompt, in characters of JSON. What would be more is not kept, and then nothing of it is. */
const MOST_KEPT = 32 * 1024 * 1024;
const TRIES = 4;
const FIRST_DELAY_MILLISECONDS = 200;

export interface Claimed extends ClaimedRow {
  readonly hand: Hand;
  readonly steps: readonly { readonly name: string; readonly body: string }[];
}

/** A prompt in the hands of this process. What is done of it is kept, by name, before anybody relies on it. */
export class HeldPrompt {
  readonly hand: Hand;
  /** JSON, as it was asked first. */
  readonly asked: string;
  /** JSON: what was found when it first passed the gate; null: it has not. */
  readonly opening: string | null;
  /** Called while another process waits for it, every two seconds. Whoever can let it go, does. */
  onWanted: () => void = () => undefined;
  readonly #deps: PromptDeps;
  readonly #steps: Map<string, string>;
  readonly #onOver: () => void;
  readonly #lost = new AbortController();
  #kept: number;

  constructor(deps: PromptDeps, { hand, asked, opening, steps }: Claimed, onOver: () => void) {
    this.#deps = deps;
    this.hand = hand;
    this.asked = asked;
    this.opening = opening;
    this.#steps = new Map(steps.map(({ name, body }) => [name, body]));
    this.#kept = steps.reduce((sum, { body }) => sum + body.length, 0);
    this.#onOver = onOver;
  }

  get life(): number {
    return this.hand.life;
  }

  /** Aborted when another process has it. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** False once it has become too large to be kept: it can end here, and nowhere else. */
  get isResumable(): boolean {
    return this.#kept <= MOST_KEPT;
  }

  lose(): void {
    this.#lost.abort();
  }

  /** JSON, as it was kept under this name in an earlier life; undefined: nothing was. */
  find(name: string): string | undefined {
    return this.#steps.get(name);
  }

  /** Every step that was kept in earlier lives. */
  steps(): IterableIterator<[name: string, body: string]> {
    return this.#steps.entries();
  }

  /** Resolves once it cannot be lost. Throws: PromptLost; database unreachable. */
  async keep(name: string, body: string): Promise<void> {
    if (this.lost.aborted) throw new PromptLost("the prompt runs in another process");
    const { pool } = this.#deps;
    if (!this.isResumable) return;
    this.#kept += body.length;
    const write = this.isResumable
      ? () => insertStep(pool, this.hand, name, body)
      : () => letGoOfSteps(pool, this.hand);
    await this.#insist(write);
  }

  /** Throws: PromptLost; database unreachable. */
  async keepOpening(opening: string): Promise<void> {
    await this.#insist(() => writeOpening(this.#deps.pool, this.hand, opening));
  }

  /** It has ended so. Throws: PromptLost; database unreachable. */
  async end(ending: string): Promise<void> {
    const { pool, clock } = this.#deps;
    this.#onOver();
    const dueAt = addSeconds(clock.now(), REMEMBERED_SECONDS);
    await this.#insist(() => endRow(pool, this.hand, { ending, dueAt }));
  }

  /** Another process may go on with it from now. Never throws: in the worst case it must wait for the lease to end. */
  async free(): Promise<void> {
    const { pool, clock, log } = this.#deps;
    this.#onOver();
    const dueAt = addSeconds(clock.now(), RESUMABLE_SECONDS);
    await freeRow(pool, this.hand, dueAt).catch((error: unknown) =>
      log.warn({ err: error, requestId: this.hand.requestId }, "a prompt could not be let go"),
    );
  }

  /** It never began. Never throws. */
  async forget(): Promise<void> {
    const { pool, log } = this.#deps;
    this.#onOver();
    await deleteRow(pool, this.hand).catch((error: unknown) =>
      log.warn({ err: error, requestId: this.hand.requestId }, "a prompt could not be forgotten"),
    );
  }

  /** Again and again while the database is away: the same write twice is as good as once. */
  async #insist(write: () => Promise<boolean>): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        if (await write()) return;
        break;
      } catch (error) {
        if (tries === TRIES || !isUnavailable(error)) throw error;
        await delay(FIRST_DELAY_MILLISECONDS * 2 ** (tries - 1));
      }
    }
    this.lose();
    throw new PromptLost("the prompt runs in another process");
  }
}
