import type { Instant } from "@bursar/contract/instant";
import { credits } from "@bursar/contract/money";
import { creditSales } from "@bursar/contract/operations/prices";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mostCreditsFor, priceOf } from "../price/credit-price.ts";
import {
  type Charge,
  chargedSince,
  decideTopUp,
  type Market,
  problemOf,
  type Situation,
  type TopUpRule,
} from "./decide.ts";
import { Simulation } from "./simulate.ts";

const sales = creditSales.parse({
  maximum: "100000",
  tiers: [{ id: "only", credits: "1000", prices: { eur: 200, usd: 300, jpy: 400 } }],
});
const market: Market = {
  minimum: sales.minimum,
  maximum: sales.maximum,
  priceOf: (amount, currency) => priceOf(sales, amount, currency),
  mostCreditsFor: (money, currency) => mostCreditsFor(sales, money, currency),
};
const rule: TopUpRule = {
  ...{ mode: "target", threshold: credits("500"), credits: credits("2000"), currency: "eur" },
  ...{ dailyCap: 1000, monthlyCap: 3000, cooldownSeconds: 3600 },
};
// 2026-03-15T12:00:00Z
const now = 1_773_576_000_000_000 as Instant;
const at = (seconds: number) => (now + seconds * 1_000_000) as Instant;
const situation = (given: Partial<Situation>): Situation => ({
  ...{ net: credits("400"), missing: 0n, now, lastTriggeredAt: null, charges: [] },
  ...given,
});
const charge = (given: Partial<Charge>): Charge => ({
  ...{ at: now, isOpen: false, credits: credits("1000"), amount: 200, currency: "eur" },
  ...given,
});
const decide = (given: Partial<Situation>, change: Partial<TopUpRule> = {}) =>
  decideTopUp({ ...rule, ...change }, situation(given), market);

describe("a top-up", () => {
  it.each([
    ["at the threshold nothing", { net: credits("500") }, { kind: "not_needed" }],
    ["a micro-credit below it", { net: credits("499.999999") }, { credits: credits("1501"), amount: 301 }],
    ["in debt, with the debt", { net: credits("-1000") }, { credits: credits("3000"), amount: 600 }],
    ["while one is open", { charges: [charge({ isOpen: true })] }, { kind: "attempt_open" }],
    ["in its cooldown", { lastTriggeredAt: at(-3599) }, { kind: "in_cooldown", until: at(1) }],
    ["after its cooldown", { lastTriggeredAt: at(-3600) }, { kind: "buy" }],
    [
      "when the day leaves less",
      { charges: [charge({ amount: 800 })] },
      { credits: credits("1000"), amount: 200 },
    ],
    [
      "when the day leaves too little for any purchase",
      { charges: [charge({ amount: 901 })] },
      { kind: "cap_reached", cap: "daily", until: at(12 * 3600) },
    ],
    [
      "yesterday's do not count today",
      { charges: [charge({ amount: 1000, at: at(-86_400) })] },
      { kind: "buy" },
    ],
    [
      "when the month is used up",
      { charges: [charge({ amount: 3000, at: at(-86_400) })] },
      { kind: "cap_reached", cap: "monthly" },
    ],
    [
      "what was charged in another currency counts at this one's prices",
      { charges: [charge({ amount: 300, currency: "usd", credits: credits("4900") })] },
      { kind: "cap_reached", cap: "daily" },
    ],
    [
      "for a request that then fits",
      { net: credits("600"), missing: credits("900") },
      { credits: credits("1400") },
    ],
    ["not for one that would not", { net: credits("600"), missing: credits("1500") }, { kind: "not_needed" }],
  ] as const)("%s", (_, given, expected) => {
    expect(decide(given)).toMatchObject(expected);
  });

  it("of a fixed amount is bought as often as closes the gap, in one charge", () => {
    const amount = { mode: "amount", credits: credits("600") } as const;
    expect(decide({}, amount)).toMatchObject({ credits: credits("600") });
    expect(decide({ net: credits("-1000") }, amount)).toMatchObject({ credits: credits("1800") });
  });

  it("is at least the smallest and at most the largest purchase", () => {
    expect(decide({ net: credits("499") }, { credits: credits("501") })).toMatchObject({
      credits: credits("500"),
    });
    const rich = { dailyCap: 99_999_999, monthlyCap: 99_999_999 };
    expect(decide({ net: credits("-500000") }, rich)).toMatchObject({ credits: credits("100000") });
  });
});

describe("a policy that could not work is refused", () => {
  it.each([
    [{ credits: credits("500") }, "target"],
    [{ mode: "amount", credits: credits("499") }, "amount"],
    [{ mode: "amount", credits: credits("400"), threshold: credits("300") }, "amount"],
    [{ credits: credits("100001") }, "target"],
    [{ dailyCap: 299 }, "dailyCap"],
    [{ monthlyCap: 999 }, "monthlyCap"],
  ] as const)("$1, as in case %#", (change, field) => {
    expect(problemOf({ ...rule, ...change }, market)?.field).toBe(field);
  });
});

it("over any past, a simulation stays within both caps and its cooldown, and buys only when needed", () => {
  const step = fc.record({
    seconds: fc.integer({ min: 0, max: 3 * 86_400 }),
    spent: fc.integer({ min: -500, max: 4000 }),
  });
  const rules = fc.record({
    mode: fc.constantFrom("target" as const, "amount" as const),
    credits: fc.integer({ min: 700, max: 5000 }).map((whole) => BigInt(whole) * 1_000_000n),
    dailyCap: fc.integer({ min: 1000, max: 3000 }),
    monthlyCap: fc.integer({ min: 3000, max: 9000 }),
    cooldownSeconds: fc.constantFrom(0, 60, 3600, 200_000),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), rules, (steps, change) => {
      const tried = { ...rule, ...change };
      const simulation = new Simulation(tried, market, credits("1000"));
      let time = now;
      for (const { seconds, spent } of steps) {
        time = (time + seconds * 1_000_000) as Instant;
        simulation.change({ at: time, by: BigInt(-spent) * 1_000_000n, isRequest: false });
      }
      const { charges } = simulation;
      for (const [index, made] of charges.entries()) {
        const date = new Date(made.at / 1000);
        const day = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()) * 1000;
        const month = Date.UTC(date.getUTCFullYear(), date.getUTCMonth()) * 1000;
        const upTo = charges.slice(0, index + 1);
        expect(chargedSince(tried, upTo, day as Instant, market)).toBeLessThanOrEqual(tried.dailyCap);
        expect(chargedSince(tried, upTo, month as Instant, market)).toBeLessThanOrEqual(tried.monthlyCap);
        expect(made.netBefore).toBeLessThan(tried.threshold);
        const before = charges[index - 1];
        if (before !== undefined)
          expect(made.at - before.at).toBeGreaterThanOrEqual(tried.cooldownSeconds * 1_000_000);
      }
    }),
  );
});
