import { addSeconds, type Instant, parseInstant } from "@bursar/contract/instant";
import { credits } from "@bursar/contract/money";
import { describe, expect, it } from "vitest";
import { type ForecastQuestion, forecast, type Supply, weightedDay } from "./decide.ts";

const DAY = 86_400;
const now = parseInstant("2027-01-10T12:00:00Z")!;
const days = (count: number): Instant => addSeconds(now, count * DAY);
const lasting = (amount: string): Supply => ({ remaining: credits(amount), priority: 80, expiresAt: null });

/** So many credits a day, for as long as the account is old. */
function question(facts: Partial<ForecastQuestion> = {}, perDay = "10", age = 10): ForecastQuestion {
  const used = Array.from({ length: 28 }, (_, day) => (day < age ? credits(perDay) : 0n));
  const use = { days: used, since: days(-Math.min(28, age)), isCut: false };
  return { now, use, supplies: [lasting("100")], owed: 0n, quota: null, topUpBelow: null, ...facts };
}
const estimate = (...given: Parameters<typeof question>) => forecast(question(...given));

it("lasts as many days as the credits do", () => {
  expect(estimate()).toMatchObject({
    perDay: credits("10"),
    basedOnDays: 10,
    runsOutAt: days(10),
    topUpAt: null,
  });
  expect(estimate({ supplies: [lasting("3660")] })).toMatchObject({ runsOutAt: null });
});

it("says that it does not know with little data, and where nothing is used", () => {
  expect(estimate({}, "10", 2.9)).toEqual({ kind: "unknown", reason: "too_little_data" });
  expect(estimate({}, "0")).toEqual({ kind: "unknown", reason: "no_recent_use" });
  expect(estimate({ use: { days: [], since: null, isCut: false } })).toEqual({
    kind: "unknown",
    reason: "no_recent_use",
  });
});

it("knows an account that is too busy to be read for three days by what was read", () => {
  const busy = (hours: number, used: string) =>
    estimate({ use: { days: [credits(used), 0n], since: addSeconds(now, -hours * 3600), isCut: true } });
  expect(busy(12, "5")).toMatchObject({ perDay: credits("10"), basedOnDays: 1, runsOutAt: days(10) });
  expect(busy(48, "20")).toMatchObject({ perDay: credits("10"), basedOnDays: 2 });
  expect(busy(0, "1")).toMatchObject({ perDay: credits("24"), basedOnDays: 1 });
});

it("lets the latest days count most, and rounds against whoever hopes", () => {
  expect(weightedDay([credits("30"), 0n, 0n])).toBe(credits("15"));
  expect(weightedDay([0n, 0n, credits("30")])).toBe(credits("5"));
  expect(weightedDay([1n, 0n])).toBe(1n);
});

it("counts on nothing that expires before it is used", () => {
  const promo = { remaining: credits("100"), priority: 30, expiresAt: days(2) };
  expect(estimate({ supplies: [lasting("50"), promo] })).toMatchObject({ runsOutAt: days(7) });
});

describe("a quota", () => {
  // Resets on the 20th: 10 days from now, and a month later.
  const quota = {
    anchor: parseInstant("2026-12-20T12:00:00Z")!,
    credits: credits("155"),
    nextResetAt: days(10),
  };

  it("counts from its reset on, until its own end", () => {
    // 10 days of 10, 31 days of 5 more than the quota gives, then it comes again.
    expect(estimate({ supplies: [lasting("100")], quota })).toMatchObject({
      runsOutAt: days(25.5),
    });
  });

  it("that covers the use makes credits last", () => {
    const enough = { ...quota, credits: credits("310") };
    expect(estimate({ supplies: [lasting("100")], quota: enough })).toMatchObject({ runsOutAt: null });
  });

  it("that is due this moment is counted on", () => {
    expect(estimate({ quota: { ...quota, nextResetAt: days(-0.1) } })).toMatchObject({ kind: "known" });
  });
});

it("names the moment at which the balance falls below the top-up's threshold", () => {
  expect(estimate({ topUpBelow: credits("40.000001") })).toMatchObject({
    topUpAt: days(6),
    runsOutAt: days(10),
  });
  expect(estimate({ topUpBelow: credits("400") })).toMatchObject({ topUpAt: now });
});

it("is out of credits now with a debt or with nothing", () => {
  expect(estimate({ owed: 1n, topUpBelow: 1n })).toMatchObject({ runsOutAt: now, topUpAt: now });
  expect(estimate({ supplies: [] })).toMatchObject({ runsOutAt: now });
});
