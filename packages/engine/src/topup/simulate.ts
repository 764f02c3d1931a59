import type { Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import { type Charge, decideTopUp, type Market, type TopUpRule } from "./decide.ts";

/** What the balance, less debt, did without top-ups: by how much it changed, and when. */
export interface Change {
  readonly at: Instant;
  readonly by: MicroCredits;
  /** Somebody asked for these credits and would have waited for more. */
  readonly isRequest: boolean;
}

export interface SimulatedCharge extends Charge {
  readonly netBefore: MicroCredits;
}

export interface Stop {
  readonly at: Instant;
  readonly reason: "in_cooldown" | "cap_reached";
}

/** What the same decision would have done over a past: after each change of the balance, and when a cooldown or a cap
 *  ends. Every purchase is taken to arrive at once. Pure. */
export class Simulation {
  readonly charges: SimulatedCharge[] = [];
  readonly stops: Stop[] = [];
  readonly #rule: TopUpRule;
  readonly #market: Market;
  #net: MicroCredits;
  #lastTriggeredAt: Instant | null = null;
  /** When what stopped the last purchase ends. */
  #waitsUntil: Instant | null = null;

  constructor(rule: TopUpRule, market: Market, net: MicroCredits) {
    this.#rule = rule;
    this.#market = market;
    this.#net = net;
  }

  change({ at, by, isRequest }: Change): void {
    this.passTo(at);
    const missing = -(this.#net + by);
    if (isRequest && missing > 0n) this.#decide(at, missing);
    this.#net += by;
    this.#decide(at);
  }

  /** Lets time pass, with what becomes possible meanwhile. */
  passTo(at: Instant): void {
    while (this.#waitsUntil !== null && this.#waitsUntil <= at) {
      const then = this.#waitsUntil;
      this.#waitsUntil = null;
      this.#decide(then);
    }
  }

  #decide(now: Instant, missing: MicroCredits = 0n): void {
    const { charges } = this;
    const situation = { net: this.#net, missing, now, lastTriggeredAt: this.#lastTriggeredAt, charges };
    const decision = decideTopUp(this.#rule, situation, this.#market);
    if (decision.kind === "in_cooldown" || decision.kind === "cap_reached") {
      if (this.#waitsUntil === null) this.stops.push({ at: now, reason: decision.kind });
      this.#waitsUntil = decision.until;
      return;
    }
    this.#waitsUntil = null;
    if (decision.kind !== "buy") return;
    const { credits, amount } = decision;
    const netBefore = this.#net;
    charges.push({ at: now, isOpen: false, credits, amount, currency: this.#rule.currency, netBefore });
    this.#lastTriggeredAt = now;
    this.#net += credits;
    // A purchase that the caps made smaller may leave the need for another one.
    if (this.#net < this.#rule.threshold) this.#decide(now);
  }
}
