import { extend } from "@bursar/engine/hold/extend";
import { costOf } from "@bursar/engine/price/decide";
import type { Denial } from "./billing.ts";
import type { CallFacts } from "./call-facts.ts";
import { type BillingDeps, CALL_SECONDS, type RunBillingRequest, signedBy } from "./purse.ts";
import { Reach } from "./reach.ts";

const REPORT_MILLISECONDS = 10_000;
const CHARACTERS_PER_TOKEN = 4;

/** A model call under way. It leaves word of its cost now and then: if this process dies, that is what is settled. */
export class OpenCall {
  readonly facts: CallFacts;
  readonly #deps: BillingDeps;
  readonly #request: RunBillingRequest;
  readonly #reach: Reach;
  readonly #heard: string[] = [];
  #characters = 0;
  #reports = 0;
  #reportedAt = performance.now();

  constructor(deps: BillingDeps, request: RunBillingRequest, facts: CallFacts) {
    this.#deps = deps;
    this.#request = request;
    this.facts = facts;
    this.#reach = new Reach(deps, request, facts);
  }

  get output(): readonly string[] {
    return this.#heard;
  }

  heard(text: string): void {
    this.#heard.push(text);
    this.#reach.heard(text);
    this.#characters += text.length;
    const pause = this.#deps.reportMilliseconds ?? REPORT_MILLISECONDS;
    if (performance.now() - this.#reportedAt < pause) return;
    this.#reportedAt = performance.now();
    void this.#report();
  }

  /** null: all that was heard is reserved. Never throws. */
  paid(): Promise<Denial | null> {
    return this.#reach.cover(this.#heard);
  }

  async #report(): Promise<void> {
    const { call, rates, holdId, estimate } = this.facts;
    this.#reports += 1;
    const usage = {
      inputTokens: Math.ceil(estimate.quickBound(call) / 2),
      cachedInputTokens: 0,
      outputTokens: Math.ceil(this.#characters / CHARACTERS_PER_TOKEN),
    };
    try {
      await extend(this.#deps, {
        ...signedBy(this.#request),
        ...{ id: `${holdId}.report.${this.#reports}`, holdId, amount: 0n, ttlSeconds: CALL_SECONDS },
        reported: costOf(rates, usage),
      });
    } catch (error) {
      this.#deps.log.warn({ err: error, holdId }, "the cost so far could not be reported");
    }
  }
}
