import { larger, type MicroCredits } from "@bursar/contract/money";
import { type ExtendOutcome, extend } from "@bursar/engine/hold/extend";
import type { Denial } from "./billing.ts";
import { type CallFacts, costWith, payableTokens } from "./call-facts.ts";
import { type BillingDeps, CALL_SECONDS, type RunBillingRequest, signedBy } from "./purse.ts";
import { denialOf, leftOf } from "./refusal.ts";
import { BYTES_PER_TOKEN_AT_LEAST } from "./tokens.ts";
import { buyOrDeny } from "./top-up.ts";

/** An answer of ordinary length. So much is reserved at first, and again whenever it is used up: the longest answer
 *  that a model may give is rarely given, and credits that are held for it are missing elsewhere. */
export const SLICE_TOKENS = 2048;

/** An answer of the longest length may seem longer, counted with room for other vocabularies; one that seems so much
 *  longer is. */
const surelyBeyond = (limitTokens: number) => limitTokens * 1.5 + 64;

/** How far the hold of a running call reaches, and how it grows. What is heard is never more than is reserved. */
export class Reach {
  readonly #deps: BillingDeps;
  readonly #request: RunBillingRequest;
  readonly #facts: CallFacts;
  #amount: MicroCredits;
  /** Output tokens that are reserved. */
  #tokens: number;
  #extensions = 0;
  /** Surely no fewer than were heard: counted ones, and a bound for the text since. */
  #counted = 0;
  #bytesSince = 0;

  constructor(deps: BillingDeps, request: RunBillingRequest, facts: CallFacts) {
    this.#deps = deps;
    this.#request = request;
    this.#facts = facts;
    this.#amount = facts.amount;
    this.#tokens = payableTokens(facts.rates, facts.inputTokens, facts.amount);
  }

  heard(text: string): void {
    this.#bytesSince += Buffer.byteLength(text);
  }

  /** null: all of it is reserved. Never throws. */
  async cover(heard: readonly string[]): Promise<Denial | null> {
    if (this.#isCovered) return null;
    this.#counted = await this.#facts.estimate.carefulOutput(heard);
    this.#bytesSince = 0;
    if (this.#isCovered) return null;
    return this.#isAtLimit ? beyondLimit : this.#grow().catch((error: unknown) => this.#unknown(error));
  }

  get #atMost(): number {
    return this.#counted + Math.ceil(this.#bytesSince / BYTES_PER_TOKEN_AT_LEAST);
  }

  get #isAtLimit(): boolean {
    return this.#tokens >= this.#facts.limitTokens;
  }

  /** A model that was told to stop where the hold ends does so itself, unless its provider takes no heed. */
  get #isCovered(): boolean {
    return this.#atMost <= (this.#isAtLimit ? surelyBeyond(this.#facts.limitTokens) : this.#tokens);
  }

  /** By a slice; by what is left where that is less; and by what can be bought where nothing is left. */
  async #grow(): Promise<Denial | null> {
    const { rates, inputTokens, limitTokens } = this.#facts;
    const upTo = Math.min(limitTokens, this.#atMost + SLICE_TOKENS);
    const missing = larger(costWith(rates, inputTokens, upTo) - this.#amount, 0n);
    const outcome = await this.#extend(missing);
    if (outcome.kind === "extended") return null;
    const left = leftOf(outcome);
    if (payableTokens(rates, inputTokens, this.#amount + left) > this.#atMost) {
      if ((await this.#extend(left)).kind === "extended") return null;
    }
    const denial = await buyOrDeny(this.#request, outcome, missing);
    if (denial !== null) return denial;
    const again = await this.#extend(missing);
    return again.kind === "extended" ? null : denialOf(again);
  }

  async #extend(amount: MicroCredits): Promise<ExtendOutcome> {
    const { holdId, rates, inputTokens } = this.#facts;
    this.#extensions += 1;
    const outcome = await extend(withoutTopUps(this.#deps), {
      ...signedBy(this.#request),
      ...{ id: `${holdId}.more.${this.#extensions}`, holdId, amount, ttlSeconds: CALL_SECONDS },
      caps: this.#request.payer.caps,
    });
    if (outcome.kind !== "extended") return outcome;
    this.#amount = outcome.amount;
    this.#tokens = payableTokens(rates, inputTokens, this.#amount);
    return outcome;
  }

  /** Whether there are credits cannot be known: that is a no. */
  #unknown(error: unknown): Denial {
    const { holdId } = this.#facts;
    this.#deps.log.warn({ err: error, holdId }, "a running call could not reserve more");
    const message = "More credits could not be reserved, because the ledger cannot be reached";
    return { kind: "denied", reason: "refused", code: "unavailable", message };
  }
}

/** The run asks for more by itself, and tells the user of it. */
function withoutTopUps({ ledger, clock, refusals, prices }: BillingDeps) {
  return { ledger, clock, refusals, prices, topUps: undefined };
}

const beyondLimit: Denial = {
  kind: "denied",
  reason: "refused",
  code: "upstream_failed",
  message: "The model went on beyond the limit that it was given, and was stopped",
};
