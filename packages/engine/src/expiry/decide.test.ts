import type { GrantId } from "@bursar/contract/ids";
import { addSeconds, type Instant, parseInstant } from "@bursar/contract/instant";
import { credits } from "@bursar/contract/money";
import { expect, it } from "vitest";
import { dueReminders, type ExpiringGrant, expiryNotice } from "./decide.ts";

const DAY = 86_400;
const at = (text: string): Instant => parseInstant(text)!;
const expiresAt = at("2027-03-31T12:00:00Z");

function grant(facts: Partial<ExpiringGrant> = {}): ExpiringGrant {
  const allocatedAt = at("2027-01-01T00:00:00Z");
  const base = { grantId: "grant_1" as GrantId, source: "promo", toldDays: null } as const;
  return { ...base, remaining: credits("5"), allocatedAt, expiresAt, ...facts };
}
const daysTold = (grants: readonly ExpiringGrant[], day: string, now = at(`${day}T00:00:00Z`)) =>
  dueReminders(grants, at(`${day}T00:00:00Z`), now).map(({ days }) => days);

it.each([
  ["2027-02-28", null, []],
  ["2027-03-01", null, [30]],
  ["2027-03-02", 30, []],
  ["2027-03-23", 30, []],
  ["2027-03-24", 30, [7]],
  ["2027-03-29", 7, []],
  ["2027-03-30", 7, [1]],
  ["2027-03-31", 1, []],
  // After an outage only the nearest is told.
  ["2027-03-27", null, [7]],
  ["2027-03-31", null, [1]],
])("on %s, told %s so far, it tells %j", (day, toldDays, days) => {
  expect(daysTold([grant({ toldDays })], day)).toEqual(days);
});

it("says nothing of what is used up, is over, or was given with that expiry in sight", () => {
  expect(daysTold([grant({ remaining: 0n })], "2027-03-30")).toEqual([]);
  expect(daysTold([grant()], "2027-03-31", expiresAt)).toEqual([]);
  const givenFor = (days: number) => grant({ allocatedAt: addSeconds(expiresAt, -days * DAY) });
  expect(daysTold([givenFor(30)], "2027-03-01")).toEqual([]);
  expect(daysTold([givenFor(30)], "2027-03-24")).toEqual([7]);
  expect(daysTold([givenFor(0.5)], "2027-03-31")).toEqual([]);
});

it("puts all of a day into one notice, the soonest first, and stays readable", () => {
  const now = at("2027-03-30T00:00:00Z");
  const many = Array.from({ length: 60 }, (_, index) =>
    grant({
      grantId: `grant_${index}_${"x".repeat(110)}` as GrantId,
      expiresAt: addSeconds(expiresAt, -index),
    }),
  );
  const due = dueReminders(many, now, now);
  expect(due).toHaveLength(60);
  const notice = expiryNotice(due, now);
  expect(notice.title).toBe("300 credits expire soon, the first on 2027-03-31");
  expect(notice.text).toContain("- 5 credits (promo) on 2027-03-31 at 11:59 UTC\n");
  expect(notice.text).toContain("\nand 45 more\n");
  expect(notice.text.length).toBeLessThan(4000);
  expect(JSON.stringify(notice.details).length).toBeLessThan(4096);
});
