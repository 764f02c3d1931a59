import { randomUUID } from "node:crypto";
import { addSeconds } from "@bursar/contract/instant";
import { HeldPrompt } from "./held.ts";
import {
  LEASE_SECONDS,
  type PromptDeps,
  RENEW_MILLISECONDS,
  RESUMABLE_SECONDS,
  WANTED_SECONDS,
} from "./lease.ts";
import { claimRow, type PromptName, readSteps, renewRows, wantRow } from "./store.ts";

export type ClaimOutcome =
  | { readonly kind: "held"; readonly prompt: HeldPrompt }
  /** Another process runs it, and has been asked to let it go. */
  | { readonly kind: "running" }
  | { readonly kind: "ended"; readonly ending: string }
  /** Its process is gone, and it did too much to be kept. */
  | { readonly kind: "too_large" }
  /** Another credential has asked it. */
  | { readonly kind: "not_yours" };

/** The prompts that this process runs. Each is run by one process at a time, whatever happens to processes: who is
 *  taken for dead and is not, finds that it has lost the prompt before it does the next thing. */
export class PromptHands {
  readonly #deps: PromptDeps;
  /** Names this process among its like. */
  readonly #owner = randomUUID();
  readonly #held = new Map<string, HeldPrompt>();
  #renewing: NodeJS.Timeout | null = null;

  constructor(deps: PromptDeps) {
    this.#deps = deps;
  }

  /** Takes a prompt to run it: a new one, or one that nobody runs, with what is done of it. `asked` counts only where it
   *  is new. Throws: database unreachable; that is a no. */
  async claim(request: PromptName & { askedBy: string; asked: string }): Promise<ClaimOutcome> {
    const { pool, clock } = this.#deps;
    const dueAt = addSeconds(clock.now(), RESUMABLE_SECONDS);
    const owner = this.#owner;
    const row = await claimRow(pool, { ...request, owner, leaseSeconds: LEASE_SECONDS, dueAt });
    if (row === null) return this.#whyNot(request);
    const { accountId, requestId } = request;
    const hand = { accountId, requestId, owner, life: row.life };
    const steps = row.life === 1 ? [] : await readSteps(pool, request);
    const prompt: HeldPrompt = new HeldPrompt(this.#deps, { hand, ...row, steps }, () =>
      this.#forget(prompt),
    );
    this.#held.set(requestId, prompt);
    this.#renewing ??= setInterval(() => void this.#renew(), RENEW_MILLISECONDS).unref();
    return { kind: "held", prompt };
  }

  close(): void {
    if (this.#renewing !== null) clearInterval(this.#renewing);
    this.#renewing = null;
  }

  async #whyNot(request: PromptName & { askedBy: string }): Promise<ClaimOutcome> {
    const found = await wantRow(this.#deps.pool, request);
    if (found === null) return { kind: "running" };
    if (!found.isOurs) return { kind: "not_yours" };
    if (found.ending !== null) return { kind: "ended", ending: found.ending };
    return found.isWhole || found.isLeased ? { kind: "running" } : { kind: "too_large" };
  }

  #forget(prompt: HeldPrompt): void {
    const { requestId } = prompt.hand;
    if (this.#held.get(requestId) === prompt) this.#held.delete(requestId);
    if (this.#held.size === 0) this.close();
  }

  /** A database that is away takes nothing from us: whoever would take over cannot ask it either. */
  async #renew(): Promise<void> {
    const { pool, clock, log } = this.#deps;
    const now = clock.now();
    const held = [...this.#held.values()];
    const lease = {
      seconds: LEASE_SECONDS,
      dueAt: addSeconds(now, RESUMABLE_SECONDS),
      dueBefore: addSeconds(now, RESUMABLE_SECONDS / 2),
      wantedSeconds: WANTED_SECONDS,
    };
    try {
      const hands = held.map(({ hand }) => hand);
      const rows = await renewRows(pool, hands, lease);
      const renewed = new Map(rows.map(({ requestId, isWanted }) => [requestId, isWanted]));
      for (const prompt of held) {
        const isWanted = renewed.get(prompt.hand.requestId);
        // One that has ended meanwhile is no more in our hands, and not lost.
        if (isWanted === undefined && this.#held.get(prompt.hand.requestId) === prompt) prompt.lose();
        if (isWanted === true) prompt.onWanted();
      }
    } catch (error) {
      log.warn({ err: error, prompts: held.length }, "the leases of running prompts could not be renewed");
    }
  }
}
