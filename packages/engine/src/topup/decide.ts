import { dayStart, monthStart, nextDayStart, nextMonthStart } from "@bursar/contract/calendar";
import type { Currency } from "@bursar/contract/fiat";
import { addSeconds, type Instant } from "@bursar/contract/instant";
import {
  divideRoundingUp,
  larger,
  MICRO_CREDITS_PER_CREDIT,
  type MicroCredits,
} from "@bursar/contract/money";

/** When and how much to buy. A whole policy: what is switched on has every field. */
export interface TopUpRule {
  readonly mode: "target" | "amount";
  /** Buy when net is below this. */
  readonly threshold: MicroCredits;
  /** The target, or the amount of one purchase. */
  readonly credits: MicroCredits;
  readonly currency: Currency;
  /** The most to charge a day and a month (UTC), in the currency's minor unit. */
  readonly dailyCap: number;
  readonly monthlyCap: number;
  readonly cooldownSeconds: number;
}

/** A charge that counts against the caps. An open one may still be charged at any time, so it counts in all windows. */
export interface Charge {
  readonly at: Instant;
  readonly isOpen: boolean;
  readonly credits: MicroCredits;
  readonly amount: number;
  readonly currency: Currency;
}

export interface Market {
  /** The price of so many credits; null: not sold in this currency. */
  priceOf(credits: MicroCredits, currency: Currency): number | null;
  /** The most credits that so much money buys; null: less than the smallest purchase. */
  mostCreditsFor(money: number, currency: Currency): MicroCredits | null;
  readonly minimum: MicroCredits;
  readonly maximum: MicroCredits;
}

export interface Situation {
  /** Available less owed. */
  readonly net: MicroCredits;
  /** What a waiting request needs on top of what is available; 0 where none waits. */
  readonly missing: MicroCredits;
  readonly now: Instant;
  /** When the newest attempt began, whatever became of it. */
  readonly lastTriggeredAt: Instant | null;
  readonly charges: readonly Charge[];
}

export type TopUpDecision =
  | { readonly kind: "buy"; readonly credits: MicroCredits; readonly amount: number }
  | { readonly kind: "not_needed" }
  | { readonly kind: "attempt_open" }
  | { readonly kind: "in_cooldown"; readonly until: Instant }
  | { readonly kind: "cap_reached"; readonly cap: "daily" | "monthly"; readonly until: Instant }
  | { readonly kind: "not_sold" };

/** Whether to buy now, and how much: one purchase that closes the whole gap, within the caps.
 *  Outcomes, first match wins: not_needed, attempt_open, in_cooldown, not_sold, cap_reached, buy. */
export function decideTopUp(rule: TopUpRule, situation: Situation, market: Market): TopUpDecision {
  const { now, lastTriggeredAt, charges, net, missing } = situation;
  const wanted = wantedCredits(rule, situation, market);
  if (wanted === null) return { kind: "not_needed" };
  if (charges.some((charge) => charge.isOpen)) return { kind: "attempt_open" };
  const ready = lastTriggeredAt === null ? now : addSeconds(lastTriggeredAt, rule.cooldownSeconds);
  if (ready > now) return { kind: "in_cooldown", until: ready };
  const price = market.priceOf(wanted, rule.currency);
  if (price === null) return { kind: "not_sold" };
  const room = roomWithinCaps(rule, charges, now, market);
  if (price <= room.left) return { kind: "buy", credits: wanted, amount: price };
  // As much as the caps leave room for, where that is a purchase at all.
  const credits = room.left > 0 ? market.mostCreditsFor(room.left, rule.currency) : null;
  const amount = credits === null ? null : market.priceOf(credits, rule.currency);
  const isUseless = credits !== null && net >= rule.threshold && credits < missing;
  if (credits === null || amount === null || isUseless)
    return { kind: "cap_reached", cap: room.cap, until: room.until };
  return { kind: "buy", credits, amount };
}

/** null: nothing is needed. A request that would not fit even afterwards is no reason to buy. */
function wantedCredits(rule: TopUpRule, situation: Situation, market: Market): MicroCredits | null {
  const { net, missing } = situation;
  const isBelow = net < rule.threshold;
  if (!isBelow && missing <= 0n) return null;
  const wanted = rule.mode === "target" ? rule.credits - net : timesAmount(rule, situation);
  const whole = divideRoundingUp(wanted, MICRO_CREDITS_PER_CREDIT) * MICRO_CREDITS_PER_CREDIT;
  const credits = smallest(larger(whole, market.minimum), market.maximum);
  return isBelow || credits >= missing ? credits : null;
}

/** As many times the amount as lead back to the threshold and cover the request, in one charge. */
function timesAmount(rule: TopUpRule, { net, missing }: Situation): MicroCredits {
  const gap = larger(rule.threshold - net, missing);
  return rule.credits * larger(divideRoundingUp(gap, rule.credits), 1n);
}

const smallest = (a: bigint, b: bigint) => (a < b ? a : b);

interface Room {
  readonly left: number;
  /** The cap that binds, and when it binds no more. */
  readonly cap: "daily" | "monthly";
  readonly until: Instant;
}

function roomWithinCaps(rule: TopUpRule, charges: readonly Charge[], now: Instant, market: Market): Room {
  const today = rule.dailyCap - chargedSince(rule, charges, dayStart(now), market);
  const month = rule.monthlyCap - chargedSince(rule, charges, monthStart(now), market);
  return month <= today
    ? { left: month, cap: "monthly", until: nextMonthStart(now) }
    : { left: today, cap: "daily", until: nextDayStart(now) };
}

/** In the policy's currency: what was charged in another one counts as what its credits cost in this one. */
export function chargedSince(
  rule: Pick<TopUpRule, "currency">,
  charges: readonly Charge[],
  since: Instant,
  market: Pick<Market, "priceOf">,
): number {
  let sum = 0;
  for (const { at, isOpen, credits, amount, currency } of charges) {
    if (!isOpen && at < since) continue;
    sum += currency === rule.currency ? amount : (market.priceOf(credits, rule.currency) ?? amount);
  }
  return sum;
}

export type RuleProblem = { readonly field: string; readonly message: string };

/** Why a policy could never work, or would never stop; null: it is sound. */
export function problemOf(rule: TopUpRule, market: Market): RuleProblem | null {
  const price = market.priceOf(
    smallest(larger(firstPurchase(rule), market.minimum), market.maximum),
    rule.currency,
  );
  if (price === null) return { field: "currency", message: `credits are not sold in ${rule.currency}` };
  if (rule.mode === "target" && rule.credits <= rule.threshold)
    return { field: "target", message: "must be above threshold, or each purchase would ask for the next" };
  if (rule.mode === "amount" && rule.credits < rule.threshold)
    return {
      field: "amount",
      message: "must be at least threshold: too small to leave it, each purchase would ask for the next",
    };
  if (rule.mode === "amount" && (rule.credits < market.minimum || rule.credits > market.maximum))
    return { field: "amount", message: rangeText(market) };
  if (rule.mode === "target" && rule.credits > market.maximum)
    return { field: "target", message: `must be at most ${whole(market.maximum)}, the largest purchase` };
  if (rule.dailyCap < price)
    return { field: "dailyCap", message: `must be at least ${price}, the price of one purchase` };
  if (rule.monthlyCap < rule.dailyCap) return { field: "monthlyCap", message: "must not be below dailyCap" };
  return null;
}

/** From an account that has just fallen below the threshold. */
function firstPurchase({ mode, credits, threshold }: TopUpRule): MicroCredits {
  return mode === "target" ? credits - threshold : credits;
}

const whole = (credits: MicroCredits) => String(credits / MICRO_CREDITS_PER_CREDIT);

function rangeText({ minimum, maximum }: Market): string {
  return `must be from ${whole(minimum)} to ${whole(maximum)}, the smallest and the largest purchase`;
}
