import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addSeconds,
  formatInstant,
  formatPostgresTimestamp,
  type Instant,
  instantFromDate,
  parseInstant,
  parsePostgresTimestamp,
} from "./instant.ts";

/** From year 1000 to where a number stops being exact. */
const instant = fc.integer({
  min: -30_610_224_000_000_000 / 4,
  max: Number.MAX_SAFE_INTEGER,
}) as unknown as fc.Arbitrary<Instant>;

describe("an instant", () => {
  it.each<[string, number]>([
    ["1970-01-01T00:00:00Z", 0],
    ["1970-01-01T00:00:00.000001Z", 1],
    ["1970-01-01T00:00:00.1Z", 100_000],
    ["1969-12-31T23:59:59.999999Z", -1],
    ["2026-02-28T12:34:56.789012Z", 1_772_282_096_789_012],
    ["2026-02-28T14:34:56.789012+02:00", 1_772_282_096_789_012],
    ["2026-02-28T07:04:56.789012-0530", 1_772_282_096_789_012],
    ["2028-02-29T00:00Z", 1_835_395_200_000_000],
    ["2026-02-28 12:34:56.789012+00", 1_772_282_096_789_012],
  ])("%s", (text, expected) => {
    expect(parseInstant(text)).toBe(expected);
  });

  it.each([
    ...[
      "",
      "now",
      "2026-02-30T00:00:00Z",
      "2027-02-29T00:00:00Z",
      "2026-13-01T00:00:00Z",
      "2026-01-00T00:00:00Z",
    ],
    ...[
      "2026-01-01T24:00:00Z",
      "2026-01-01T00:60:00Z",
      "2026-01-01T00:00:60Z",
      "2026-01-01T00:00:00",
      "2026-01-01",
    ],
    ...["2026-01-01T00:00:00.1234567Z", "2026-01-01T00:00:00z", "1772282096", "20260101T000000Z"],
  ])("%j is none", (text) => {
    expect(parseInstant(text)).toBeNull();
  });

  it("F20: of the first century is not one of the twentieth", () => {
    const read = parseInstant("0050-01-01T00:00:00Z");
    expect(read === null || formatInstant(read) === "0050-01-01T00:00:00.000Z").toBe(true);
  });

  it("is read back exactly, to the microsecond, in both ways of writing it", () => {
    fc.assert(fc.property(instant, (at) => parseInstant(formatInstant(at)) === at));
    fc.assert(fc.property(instant, (at) => parsePostgresTimestamp(formatPostgresTimestamp(at)) === at));
  });

  it("is written with milliseconds for people, and as Postgres does for hashing", () => {
    const at = 1_772_282_096_000_000 as Instant;
    expect([at, at + 500_000, at + 1].map((each) => formatInstant(each as Instant))).toEqual([
      ...["2026-02-28T12:34:56.000Z", "2026-02-28T12:34:56.500Z", "2026-02-28T12:34:56.000001Z"],
    ]);
    expect([at, at + 500_000, at + 1].map((each) => formatPostgresTimestamp(each as Instant))).toEqual([
      ...["2026-02-28 12:34:56+00", "2026-02-28 12:34:56.5+00", "2026-02-28 12:34:56.000001+00"],
    ]);
  });

  it("moves by seconds, and comes from a date", () => {
    expect(addSeconds(5 as Instant, 1.5)).toBe(1_500_005);
    expect(instantFromDate(new Date(7))).toBe(7000);
  });
});
