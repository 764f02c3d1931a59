import { expect, it } from "vitest";
import { addDuration, parseDuration } from "./duration.ts";
import { parseInstant } from "./instant.ts";

it.each([
  ["90s", "2027-01-31T00:01:30Z"],
  ["15m", "2027-01-31T00:15:00Z"],
  ["12h", "2027-01-31T12:00:00Z"],
  ["31d", "2027-03-03T00:00:00Z"],
  ["2w", "2027-02-14T00:00:00Z"],
  ["1mo", "2027-02-28T00:00:00Z"],
  ["3mo", "2027-04-30T00:00:00Z"],
])("%s after 31 January is %s", (text, expected) => {
  const start = parseInstant("2027-01-31T00:00:00Z")!;
  expect(addDuration(start, parseDuration(text)!)).toBe(parseInstant(expected));
});

it.each(["", "0s", "0mo", "-1d", "1.5h", "1y", "d", "10", "1 d", "1d2h", "1D", "9999999999s"])(
  "%j is no duration",
  (text) => expect(parseDuration(text)).toBeNull(),
);
