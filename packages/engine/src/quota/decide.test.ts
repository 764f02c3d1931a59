import { addMonths } from "@bursar/contract/calendar";
import type { AccountId } from "@bursar/contract/ids";
import { addSeconds, formatInstant, type Instant, parseInstant } from "@bursar/contract/instant";
import { credits } from "@bursar/contract/money";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dueReset, type Quota } from "./decide.ts";

const at = (text: string): Instant => parseInstant(text)!;
const DAY = 86_400;

function quotaFrom(anchor: Instant, firstAt: Instant): Quota {
  const terms = { credits: credits("500"), rollover: null };
  return { accountId: "acct_1" as AccountId, anchor, ...terms, issuedCycle: null, nextResetAt: firstAt };
}

/** What happens to an account that is looked at at these instants: the grants, in order. */
function visit(quota: Quota, instants: readonly Instant[]) {
  let state = quota;
  const grants: { id: string; amount: bigint; expiresAt: Instant }[] = [];
  for (const now of instants) {
    const due = dueReset(state, now);
    expect(dueReset(state, now)).toEqual(due);
    if (due === null) continue;
    grants.push({ id: due.grantId, amount: due.amount, expiresAt: due.cycle.end });
    state = { ...state, issuedCycle: due.cycle.index, nextResetAt: due.cycle.end };
    expect(dueReset(state, now)).toBeNull();
  }
  return grants;
}

const days = (from: Instant, count: number) =>
  Array.from({ length: count }, (_, day) => addSeconds(from, day * DAY));

describe("a quota looked at every day", () => {
  it.each([
    [28, ["01-28", "02-28", "03-28", "04-28", "05-28"]],
    [29, ["01-29", "02-29", "03-29", "04-29", "05-29"]],
    [30, ["01-30", "02-29", "03-30", "04-30", "05-30"]],
    [31, ["01-31", "02-29", "03-31", "04-30", "05-31"]],
  ])("resets on day %i, or the month's last, also in a leap year", (day, expected) => {
    const anchor = at(`2028-01-${day}T10:30:00Z`);
    const grants = visit(quotaFrom(anchor, anchor), days(addSeconds(anchor, DAY / 4), 140));
    expect(grants.map((grant) => grant.id)).toEqual(expected.map((text) => `grant_free_2028-${text}`));
  });

  it("comes back to the 31st in years that are no leap years", () => {
    const anchor = at("2026-12-31T00:00:00Z");
    const starts = visit(quotaFrom(anchor, anchor), days(anchor, 130)).map((grant) => grant.id.slice(11));
    expect(starts).toEqual(["2026-12-31", "2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30"]);
  });
});

describe("whenever it is looked at", () => {
  const anchors = fc
    .tuple(
      fc.integer({ min: 0, max: 60 }),
      fc.integer({ min: 28, max: 31 }),
      fc.integer({ min: 0, max: DAY - 1 }),
    )
    .map(([month, day, second]) => addSeconds(addMonths(at(`2027-01-${day}T00:00:00Z`), month), second));
  const gaps = fc.array(fc.integer({ min: 0, max: 75 * DAY }), { minLength: 1, maxLength: 60 });

  it("issues each cycle that it is looked at in, once and whole, and no other", () => {
    fc.assert(
      fc.property(anchors, gaps, (anchor, waits) => {
        let now = anchor;
        const instants = waits.map((wait) => (now = addSeconds(now, wait)));
        const grants = visit(quotaFrom(anchor, anchor), instants);
        const cycles = new Set<number>();
        for (const instant of instants) {
          let cycle = 0;
          while (addMonths(anchor, cycle + 1) <= instant) cycle++;
          cycles.add(cycle);
        }
        expect(grants.map((grant) => grant.expiresAt)).toEqual(
          [...cycles].map((cycle) => addMonths(anchor, cycle + 1)),
        );
        expect(new Set(grants.map((grant) => grant.id)).size).toBe(grants.length);
        expect(grants.every((grant) => grant.amount === credits("500"))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe("rollover", () => {
  const anchor = at("2027-01-31T00:00:00Z");
  const quota: Quota = {
    ...quotaFrom(anchor, at("2027-02-28T00:00:00Z")),
    issuedCycle: 0,
    rollover: { cap: credits("200"), months: 2 },
  };

  it("ends so many months after the cycle that it comes from", () => {
    const ended = dueReset(quota, at("2027-03-02T00:00:00Z"))!.ended!;
    expect([ended.grantId, ended.newId]).toEqual(["grant_free_2027-01-31", "grant_rollover_2027-01-31"]);
    expect(formatInstant(ended.expiresAt)).toBe("2027-04-30T00:00:00.000Z");
  });

  it("is nothing where its own time is over before it could begin", () => {
    expect(dueReset(quota, at("2027-04-30T00:00:00Z"))!.ended).toBeNull();
    expect(dueReset(quota, at("2027-04-29T23:59:59Z"))!.ended).not.toBeNull();
  });
});
