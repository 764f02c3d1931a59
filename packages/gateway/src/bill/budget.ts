import type { HoldId } from "@bursar/contract/ids";
import { larger, type MicroCredits } from "@bursar/contract/money";
import { extend } from "@bursar/engine/hold/extend";
import type { Refusal } from "@bursar/engine/ledger/command";
import { affordableOutputTokens, costOf, type PriceBook, type Rates } from "@bursar/engine/price/decide";
import type { NotCovered, WithTopUp } from "@bursar/engine/topup/cover";
import type { Prompt } from "../ask/prompt.ts";
import type { EngineDeps, Principal } from "../principal.ts";

/** What one call has reserved, and on whose account. */
export interface OpenHold {
  readonly holdId: HoldId;
  readonly requestId: string;
  readonly principal: Principal;
  readonly model: string;
  readonly prompt: Prompt;
  /** The prices when the call began: they hold until its end. */
  readonly book: PriceBook;
  readonly rates: Rates;
  readonly amount: MicroCredits;
  /** What the account had left besides. */
  readonly available: MicroCredits;
  /** Input tokens that the amount was reckoned with. */
  readonly inputTokens: number;
  /** Output tokens over all choices, beyond which the upstream stops by itself. Infinite where nobody knows. */
  readonly limitTokens: number;
  readonly holdSeconds: number;
  /** Why no credits could be bought for more than this. */
  readonly topUp: NotCovered | undefined;
}

export type Growth =
  | { readonly kind: "grown" }
  | { readonly kind: "refused"; readonly refusal: Refusal & WithTopUp }
  /** The ledger could not be asked. That is a no, but perhaps not for long. */
  | { readonly kind: "unavailable"; readonly error: unknown };

/** The reserve of a running call: how much output it pays for, and how it grows. */
export class Budget {
  readonly hold: OpenHold;
  readonly #engine: EngineDeps;
  #amount: MicroCredits;
  #outputTokens: number;
  #extensions = 0;
  /** Why credits could not be bought, the last time that it was tried: later refusals are for the same reason. */
  #topUp: NotCovered | undefined;

  constructor(engine: EngineDeps, hold: OpenHold) {
    this.hold = hold;
    this.#engine = engine;
    this.#amount = hold.amount;
    this.#topUp = hold.topUp;
    this.#outputTokens = outputTokensFor(hold.rates, hold.inputTokens, hold.amount);
  }

  get topUp(): NotCovered | undefined {
    return this.#topUp;
  }

  /** Output tokens, over all choices, that are paid for. A stream never delivers more. */
  get outputTokens(): number {
    return this.#outputTokens;
  }

  /** Reserves enough for `upToTokens` of output, or as much of it as there is; renews the expiry; and leaves word of
   *  the cost so far, at which the sweep settles if this process dies. */
  async grow(countedTokens: number, upToTokens: number): Promise<Growth> {
    const { prompt, rates } = this.hold;
    const inputTokens = Math.min(this.hold.inputTokens, await prompt.carefulBound());
    const reported = costOf(rates, usageOf(await prompt.counted(), countedTokens));
    const missing = larger(costOf(rates, usageOf(inputTokens, upToTokens)) - this.#amount, 0n);
    let growth = await this.#extend(missing, reported);
    const left = growth.kind === "refused" ? leftOf(growth.refusal) : 0n;
    if (left > 0n && left < missing) growth = await this.#extend(left, reported);
    this.#outputTokens = outputTokensFor(rates, inputTokens, this.#amount);
    return growth;
  }

  /** Only keeps the hold from expiring, while there is nothing to report yet. */
  renew(): Promise<Growth> {
    return this.#extend(0n, undefined);
  }

  async #extend(amount: MicroCredits, reported: MicroCredits | undefined): Promise<Growth> {
    const { holdId, requestId, principal, holdSeconds } = this.hold;
    const { accountId, by, caps } = principal;
    this.#extensions += 1;
    const outcome = await extend(this.#engine, {
      ...{ accountId, holdId, requestId, amount, reported, caps, by },
      id: `${holdId}.more.${this.#extensions}`,
      ttlSeconds: holdSeconds,
      keyId: principal.keyId ?? undefined,
    }).catch((error: unknown) => ({ kind: "unavailable", error }) as const);
    if (outcome.kind === "unavailable") return outcome;
    if (outcome.kind !== "extended") {
      this.#topUp = outcome.topUp ?? this.#topUp;
      return { kind: "refused", refusal: { ...outcome, topUp: this.#topUp } };
    }
    this.#amount = outcome.amount;
    return { kind: "grown" };
  }
}

function usageOf(inputTokens: number, outputTokens: number) {
  return { inputTokens, cachedInputTokens: 0, outputTokens };
}

/** Without the model's own limit, which is one of each choice and not of their sum. */
export function outputTokensFor(rates: Rates, inputTokens: number, amount: MicroCredits): number {
  return affordableOutputTokens({ ...rates, maxOutputTokens: null }, inputTokens, amount);
}

/** What a refused amount could be lowered to. */
export function leftOf(refusal: Refusal): MicroCredits {
  switch (refusal.kind) {
    case "insufficient_credits":
      return refusal.available;
    case "cap_exceeded":
      return refusal.cap.limit - refusal.used;
    case "parent_exhausted":
      return refusal.left;
    default:
      return 0n;
  }
}
