import type { HoldId } from "@bursar/contract/ids";
import { extend } from "@bursar/engine/hold/extend";
import { costOf, type PriceBook, type Rates } from "@bursar/engine/price/decide";
import type { PlannedCall } from "./billing.ts";
import { type BillingDeps, CALL_SECONDS, type RunBillingRequest, signedBy } from "./purse.ts";
import type { Estimate } from "./tokens.ts";

const REPORT_MILLISECONDS = 10_000;
const CHARACTERS_PER_TOKEN = 4;

export interface CallFacts {
  readonly call: PlannedCall;
  /** The prices when the call began: they hold until its end. */
  readonly book: PriceBook;
  readonly rates: Rates;
  readonly holdId: HoldId;
  readonly estimate: Estimate;
}

/** A model call under way. It leaves word of its cost now and then: if this process dies, that is what is settled. */
export class OpenCall {
  readonly facts: CallFacts;
  readonly #deps: BillingDeps;
  readonly #request: RunBillingRequest;
  readonly #heard: string[] = [];
  #characters = 0;
  #reports = 0;
  #reportedAt = performance.now();

  constructor(deps: BillingDeps, request: RunBillingRequest, facts: CallFacts) {
    this.#deps = deps;
    this.#request = request;
    this.facts = facts;
  }

  get output(): readonly string[] {
    return this.#heard;
  }

  heard(text: string): void {
    this.#heard.push(text);
    this.#characters += text.length;
    const pause = this.#deps.reportMilliseconds ?? REPORT_MILLISECONDS;
    if (performance.now() - this.#reportedAt < pause) return;
    this.#reportedAt = performance.now();
    void this.#report();
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
        ...{ id: `${holdId}.${this.#reports}`, holdId, amount: 0n, ttlSeconds: CALL_SECONDS },
        reported: costOf(rates, usage),
      });
    } catch (error) {
      this.#deps.log.warn({ err: error, holdId }, "the cost so far could not be reported");
    }
  }
}
