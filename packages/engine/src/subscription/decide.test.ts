import { addMonths } from "@bursar/contract/calendar";
import { addSeconds, formatInstant, type Instant, parseInstant } from "@bursar/contract/instant";
import { credits } from "@bursar/contract/money";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { creditsForChange, dueInstalments, isUpgrade, takenOf } from "./decide.ts";
import type { PlanTerms } from "./subscription.ts";

const at = (text: string): Instant => parseInstant(text)!;
const galaxy: PlanTerms = {
  planId: "galaxy",
  name: "Galaxy",
  interval: "month",
  credits: credits("500"),
  bonus: credits("50"),
  rolloverMonths: 0,
  amount: 3999,
};
const yearly: PlanTerms = { ...galaxy, planId: "yearly", interval: "year", amount: 39_990 };

function invoice(start: string, months: number, facts: object = {}) {
  const periodStart = at(start);
  const period = { periodStart, periodEnd: addMonths(periodStart, months) };
  return { id: "in_1", reason: "cycle", amountPaid: 3999, ...period, ...facts } as const;
}
const shown = (instalments: ReturnType<typeof dueInstalments>) =>
  instalments.due.map(({ grantId, expiresAt }) => `${grantId} ${formatInstant(expiresAt).slice(0, 10)}`);

it("a month's invoice gives base and bonus until its period ends, or longer with rollover", () => {
  const paid = invoice("2027-01-31T00:00:00Z", 1);
  const { due, nextAt } = dueInstalments(paid, galaxy, 0, at("2027-01-31T01:00:00Z"));
  expect([due[0]?.amount, due.length, nextAt]).toEqual([credits("550"), 1, null]);
  expect(shown({ due, nextAt })).toEqual(["grant_in_1 2027-02-28"]);
  const rolling = { ...galaxy, rolloverMonths: 2 };
  expect(shown(dueInstalments(paid, rolling, 0, at("2027-01-31T01:00:00Z")))).toEqual([
    "grant_in_1 2027-04-28",
  ]);
  expect(dueInstalments(paid, galaxy, 1, at("2027-02-05T00:00:00Z")).due).toEqual([]);
  expect(dueInstalments({ ...paid, reason: "other" }, galaxy, 0, at("2027-02-05T00:00:00Z")).due).toEqual([]);
});

it("a year's invoice gives a month's credits on each month's anchor day, and what is late lasts a month", () => {
  const paid = invoice("2027-10-31T00:00:00Z", 12);
  const first = dueInstalments(paid, yearly, 0, at("2027-10-31T00:00:00Z"));
  expect([shown(first), formatInstant(first.nextAt!)]).toEqual([
    ["grant_in_1_1 2027-11-30"],
    "2027-11-30T00:00:00.000Z",
  ]);
  const late = dueInstalments(paid, yearly, 1, at("2028-02-10T00:00:00Z"));
  expect(shown(late)).toEqual([
    "grant_in_1_2 2028-03-10",
    "grant_in_1_3 2028-03-10",
    "grant_in_1_4 2028-02-29",
  ]);
});

describe("however it is looked at", () => {
  it("a year gives twelve months, each once, none early", () => {
    const start = at("2027-03-31T12:00:00Z");
    const gaps = fc.array(fc.integer({ min: 0, max: 90 * 86_400 }), { maxLength: 30 });
    fc.assert(
      fc.property(gaps, (waits) => {
        const paid = { ...invoice("2027-03-31T12:00:00Z", 12) };
        let [now, issued] = [start, 0];
        const names: string[] = [];
        for (const wait of [...waits, 400 * 86_400]) {
          const { due, nextAt } = dueInstalments(paid, yearly, issued, now);
          // The same asked again is answered alike; a crash repeats it.
          expect(dueInstalments(paid, yearly, issued, now).due).toEqual(due);
          for (const { number, expiresAt } of due) {
            expect(addMonths(start, number) <= now).toBe(true);
            expect(expiresAt > now).toBe(true);
          }
          expect(nextAt === null || nextAt > now).toBe(true);
          names.push(...due.map(({ grantId }) => grantId));
          issued += due.length;
          now = addSeconds(now, wait);
        }
        names.push(...dueInstalments(paid, yearly, issued, now).due.map(({ grantId }) => grantId));
        expect(names).toEqual(Array.from({ length: 12 }, (_, index) => `grant_in_1_${index + 1}`));
      }),
      { numRuns: 200 },
    );
  });
});

it("a change gives what its price was paid for, rounded down, and never more than a whole period", () => {
  expect(creditsForChange(galaxy, 1500)).toBe((credits("550") * 1500n) / 3999n);
  expect(creditsForChange(galaxy, 3999)).toBe(credits("550"));
  expect(creditsForChange(galaxy, 9999)).toBe(credits("550"));
  expect(creditsForChange(galaxy, 0)).toBe(0n);
  expect(creditsForChange(yearly, 39_990)).toBe(credits("6600"));
  expect([isUpgrade(galaxy, yearly), isUpgrade(galaxy, galaxy)]).toEqual([true, false]);
});

it("of what was paid back the same share of the credits goes, rounded down, and all of them for all", () => {
  expect(takenOf(credits("550"), 1000, 3999)).toBe((credits("550") * 1000n) / 3999n);
  expect(takenOf(credits("550"), 3999, 3999)).toBe(credits("550"));
  expect([takenOf(credits("550"), 0, 3999), takenOf(credits("550"), 5, 0)]).toEqual([0n, 0n]);
});
