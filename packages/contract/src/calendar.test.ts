import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addMonths,
  dayStart,
  monthlyPeriodAt,
  monthStart,
  nextDayStart,
  nextMonthStart,
} from "./calendar.ts";
import { formatInstant, type Instant, parseInstant } from "./instant.ts";

const at = (text: string): Instant => parseInstant(text)!;
/** To the microsecond, from 1950 to 2200: 50 years later, instants are still exact. */
const instants = fc
  .integer({ min: -631_152_000_000_000, max: 7_258_118_400_000_000 })
  .map((value) => value as Instant);
const months = fc.integer({ min: -600, max: 600 });
const monthOf = (instant: Instant) => {
  const [year, month] = formatInstant(instant).split("-").map(Number);
  return year! * 12 + month!;
};
const dayOf = (instant: Instant) => Number(formatInstant(instant).slice(8, 10));

describe("months from an anchor", () => {
  it.each([
    ["2027-01-31T10:00:00Z", 1, "2027-02-28T10:00:00Z"],
    ["2028-01-31T10:00:00Z", 1, "2028-02-29T10:00:00Z"],
    ["2027-01-31T10:00:00Z", 2, "2027-03-31T10:00:00Z"],
    ["2027-01-31T10:00:00Z", 3, "2027-04-30T10:00:00Z"],
    ["2024-02-29T00:00:00Z", 12, "2025-02-28T00:00:00Z"],
    ["2024-02-29T00:00:00Z", 48, "2028-02-29T00:00:00Z"],
    ["2026-12-31T23:59:59.999999Z", 2, "2027-02-28T23:59:59.999999Z"],
    ["2027-03-31T00:00:00Z", -1, "2027-02-28T00:00:00Z"],
    ["1970-01-01T00:00:00.000001Z", -1, "1969-12-01T00:00:00.000001Z"],
    ["2100-01-31T00:00:00Z", 1, "2100-02-28T00:00:00Z"],
  ])("%s and %i months is %s", (anchor, count, expected) => {
    expect(addMonths(at(anchor), count)).toBe(at(expected));
  });

  it("lands in the right month, on the anchor's day or the month's last, at the same time of day", () => {
    fc.assert(
      fc.property(instants, months, (anchor, count) => {
        const later = addMonths(anchor, count);
        expect(monthOf(later) - monthOf(anchor)).toBe(count);
        expect(later - dayStart(later)).toBe(anchor - dayStart(anchor));
        const isLastOfMonth = dayOf(nextDayStart(later)) === 1;
        expect(dayOf(later) === dayOf(anchor) || (isLastOfMonth && dayOf(later) < dayOf(anchor))).toBe(true);
      }),
    );
  });

  it("never drifts: however short the months between, the anchor's day comes back", () => {
    fc.assert(
      fc.property(instants, fc.integer({ min: 1, max: 40 }), (anchor, years) => {
        const day = dayOf(addMonths(anchor, years * 12));
        expect(day === dayOf(anchor) || (dayOf(anchor) === 29 && day === 28)).toBe(true);
      }),
    );
  });

  it("rises strictly with the count", () => {
    fc.assert(
      fc.property(instants, months, (anchor, count) => {
        expect(addMonths(anchor, count)).toBeLessThan(addMonths(anchor, count + 1));
      }),
    );
  });

  it("refuses a count that is not whole", () => {
    expect(() => addMonths(at("2027-01-01T00:00:00Z"), 0.5)).toThrow(RangeError);
  });
});

describe("monthly periods", () => {
  it("hold every instant in exactly one, with no gap to the next", () => {
    fc.assert(
      fc.property(instants, instants, (anchor, instant) => {
        const { index, start, end } = monthlyPeriodAt(anchor, instant);
        expect(start <= instant && instant < end).toBe(true);
        expect(start).toBe(addMonths(anchor, index));
        expect(monthlyPeriodAt(anchor, end)).toMatchObject({ index: index + 1, start: end });
        expect(monthlyPeriodAt(anchor, (end - 1) as Instant).index).toBe(index);
      }),
    );
  });

  it("begin with the anchor's own, number 0", () => {
    const anchor = at("2027-01-31T12:00:00Z");
    expect(monthlyPeriodAt(anchor, anchor)).toEqual({
      index: 0,
      start: anchor,
      end: at("2027-02-28T12:00:00Z"),
    });
    expect(monthlyPeriodAt(anchor, at("2027-03-31T11:59:59Z")).index).toBe(1);
    expect(monthlyPeriodAt(anchor, at("2027-01-31T11:59:59Z")).index).toBe(-1);
  });
});

describe("windows in UTC", () => {
  it("begin and end at midnight", () => {
    const instant = at("2028-02-29T23:59:59.999999Z");
    expect(formatInstant(dayStart(instant))).toBe("2028-02-29T00:00:00.000Z");
    expect(formatInstant(nextDayStart(instant))).toBe("2028-03-01T00:00:00.000Z");
    expect(formatInstant(monthStart(instant))).toBe("2028-02-01T00:00:00.000Z");
    expect(formatInstant(nextMonthStart(instant))).toBe("2028-03-01T00:00:00.000Z");
  });

  it("hold every instant, and their first instant is their own", () => {
    fc.assert(
      fc.property(instants, (instant) => {
        for (const [start, next] of [
          [dayStart, nextDayStart],
          [monthStart, nextMonthStart],
        ] as const) {
          expect(start(instant) <= instant && instant < next(instant)).toBe(true);
          expect(start(start(instant))).toBe(start(instant));
          expect(start(next(instant))).toBe(next(instant));
        }
      }),
    );
  });
});
