import { describe, expect, test } from "vitest";
import { ago, ahead, instantOf, list, wholeNumber } from "./values.ts";

const NOW = Date.parse("2026-11-21T12:00:00Z");

describe("a moment", () => {
  test.each([
    ["30d", "2026-12-21T12:00:00.000Z"],
    ["2h", "2026-11-21T14:00:00.000Z"],
    ["1w", "2026-11-28T12:00:00.000Z"],
    ["2027-01-31", "2027-01-31T00:00:00Z"],
    ["2027-01-31T08:00:00+01:00", "2027-01-31T08:00:00+01:00"],
  ])("%s lies ahead at %s", (text, iso) => {
    expect(instantOf(ahead(text), NOW)).toBe(iso);
  });

  test("may lie behind", () => {
    expect(instantOf(ago("7d"), NOW)).toBe("2026-11-14T12:00:00.000Z");
  });

  test.each(["", "soon", "30", "d", "31.12.2027", "2027-01-31T08:00:00"])(
    "%j is refused, with what would be right",
    (text) => {
      expect(() => ahead(text)).toThrow("30d");
    },
  );
});

test.each(["-1", "1.5", "1e3", "", "x", "9".repeat(16)])("%j is no whole number", (text) => {
  expect(() => wholeNumber(text)).toThrow("whole number");
});

test("a list is given at once or flag by flag", () => {
  expect(list("c,,d", list("a,b"))).toEqual(["a", "b", "c", "d"]);
});
