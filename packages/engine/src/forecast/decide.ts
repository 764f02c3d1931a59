import { monthlyPeriodAt } from "@bursar/contract/calendar";
import { addSeconds, type Instant } from "@bursar/contract/instant";
import { divideRoundingDown, divideRoundingUp, type MicroCredits, smaller } from "@bursar/contract/money";

const DAY_SECONDS = 86_400;
const DAY = 86_400_000_000n;
/** What is older tells nothing about tomorrow. */
export const WINDOW_DAYS = 28;
const FEWEST_DAYS = 3;
const HORIZON_DAYS = 365;

/** What was used lately, in spans of 24 hours back from now. */
export interface RecentUse {
  /** The first is the last 24 hours. Micro-credits. */
  readonly days: readonly MicroCredits[];
  /** From when on the days tell everything: the account's first entry, or how far back was read. */
  readonly since: Instant | null;
  /** There is more before that was not read: an account so busy is known by less than the fewest days. */
  readonly isCut: boolean;
}

export interface Supply {
  readonly remaining: MicroCredits;
  readonly priority: number;
  readonly expiresAt: Instant | null;
}

export interface ForecastQuestion {
  readonly now: Instant;
  readonly use: RecentUse;
  /** What any work may be paid from. */
  readonly supplies: readonly Supply[];
  readonly owed: MicroCredits;
  /** Monthly credits that are sure to come. */
  readonly quota: {
    readonly anchor: Instant;
    readonly credits: MicroCredits;
    readonly nextResetAt: Instant;
  } | null;
  /** Where a top-up would be bought; null: none. */
  readonly topUpBelow: MicroCredits | null;
}

export type Estimate =
  /** Less than three days are known, or nothing was used. */
  | { readonly kind: "unknown"; readonly reason: "too_little_data" | "no_recent_use" }
  | {
      readonly kind: "known";
      readonly perDay: MicroCredits;
      readonly basedOnDays: number;
      /** null: not within a year. */
      readonly runsOutAt: Instant | null;
      /** When the balance falls below the top-up policy's threshold; null: no policy, or not within a year. */
      readonly topUpAt: Instant | null;
    };

/** When credits will run out if nothing is bought and use goes on as lately, with what expires and what the quota brings. Exact arithmetic on
 *  an uncertain assumption: it says what it is based on, and nothing where it would be a guess. */
export function forecast(question: ForecastQuestion): Estimate {
  const { now, use } = question;
  if (use.since === null) return { kind: "unknown", reason: "no_recent_use" };
  const isShort = now < addSeconds(use.since, FEWEST_DAYS * DAY_SECONDS);
  if (isShort && !use.isCut) return { kind: "unknown", reason: "too_little_data" };
  const basedOnDays = Math.min(WINDOW_DAYS, Math.max(1, Math.floor((now - use.since) / Number(DAY))));
  const perDay = isShort ? evenDay(use.days, now - use.since) : weightedDay(use.days.slice(0, basedOnDays));
  if (perDay === 0n) return { kind: "unknown", reason: "no_recent_use" };
  return { kind: "known", perDay, basedOnDays, ...runDown(question, perDay) };
}

/** Yesterday counts the most, and each day before it a little less. Rounded up: an estimate of use must not flatter. */
export function weightedDay(days: readonly MicroCredits[]): MicroCredits {
  let [sum, weights] = [0n, 0n];
  for (const [index, used] of days.entries()) {
    const weight = BigInt(days.length - index);
    sum += used * weight;
    weights += weight;
  }
  return weights === 0n ? 0n : divideRoundingUp(sum, weights);
}

const SHORTEST_MICROSECONDS = 3_600_000_000;

/** As if what was used within so short a time went on. Rounded up. */
function evenDay(days: readonly MicroCredits[], microseconds: number): MicroCredits {
  const used = days.reduce((sum, day) => sum + day, 0n);
  return divideRoundingUp(used * DAY, BigInt(Math.max(microseconds, SHORTEST_MICROSECONDS)));
}

/** Lets the supplies run down from event to event: between two of them nothing but use changes anything. */
function runDown(
  question: ForecastQuestion,
  perDay: MicroCredits,
): { runsOutAt: Instant | null; topUpAt: Instant | null } {
  const { now, owed, topUpBelow } = question;
  const end = addSeconds(now, HORIZON_DAYS * DAY_SECONDS);
  let supplies = inSpendingOrder(question.supplies);
  // One that is due this very moment is on its way.
  let reset = question.quota === null ? null : later(question.quota.nextResetAt, now);
  let topUpAt: Instant | null = null;
  for (let at = now; at < end; ) {
    supplies = supplies.filter(({ expiresAt }) => expiresAt === null || expiresAt > at);
    const total = sumOf(supplies);
    if (topUpBelow !== null && (total < topUpBelow || owed > 0n)) topUpAt ??= at;
    if (total === 0n || owed > 0n) return { runsOutAt: at, topUpAt };
    const next = earliest(end, reset, ...supplies.map(({ expiresAt }) => expiresAt));
    const crossing = topUpBelow === null ? null : whenUsed(at, total - topUpBelow + 1n, perDay);
    if (crossing !== null && crossing <= next) topUpAt ??= crossing;
    const needed = usedWithin(perDay, next - at);
    if (needed > total) return { runsOutAt: whenUsed(at, total, perDay), topUpAt };
    supplies = take(supplies, needed);
    if (reset !== null && next >= reset) {
      const cycle = monthlyPeriodAt(question.quota!.anchor, reset);
      supplies = inSpendingOrder([...supplies, quotaSupply(question.quota!.credits, cycle.end)]);
      reset = cycle.end;
    }
    at = next;
  }
  return { runsOutAt: null, topUpAt };
}

const QUOTA_PRIORITY = 20;

function quotaSupply(remaining: MicroCredits, expiresAt: Instant): Supply {
  return { remaining, priority: QUOTA_PRIORITY, expiresAt };
}

function inSpendingOrder(supplies: readonly Supply[]): Supply[] {
  const expiry = ({ expiresAt }: Supply) => expiresAt ?? Number.MAX_SAFE_INTEGER;
  return supplies.toSorted((a, b) => a.priority - b.priority || expiry(a) - expiry(b));
}

function sumOf(supplies: readonly Supply[]): MicroCredits {
  return supplies.reduce((sum, { remaining }) => sum + remaining, 0n);
}

function take(supplies: readonly Supply[], amount: MicroCredits): Supply[] {
  let open = amount;
  return supplies.flatMap((supply) => {
    const taken = smaller(open, supply.remaining);
    open -= taken;
    return taken === supply.remaining ? [] : [{ ...supply, remaining: supply.remaining - taken }];
  });
}

function earliest(first: Instant, ...others: readonly (Instant | null)[]): Instant {
  return others.reduce<Instant>((soonest, at) => (at !== null && at < soonest ? at : soonest), first);
}

function later(a: Instant, b: Instant): Instant {
  return a > b ? a : b;
}

function usedWithin(perDay: MicroCredits, microseconds: number): MicroCredits {
  return divideRoundingDown(perDay * BigInt(microseconds), DAY);
}

function whenUsed(from: Instant, amount: MicroCredits, perDay: MicroCredits): Instant {
  const wait = amount <= 0n ? 0n : divideRoundingDown(amount * DAY, perDay);
  return (from + Number(wait)) as Instant;
}
