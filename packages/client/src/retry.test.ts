import { describe, expect, test } from "vitest";
import { DEFAULT_RETRY, delayBeforeRetry, type Failure, retryAfterMilliseconds } from "./retry.ts";

const answered = (status: number, retryAfter: number | null = null): Failure => ({
  kind: "answered",
  status,
  retryAfterMilliseconds: retryAfter,
});

const silent = (reason: "refused" | "timeout" | "connection_lost"): Failure => ({ kind: "silent", reason });

const delay = (failure: Failure, isRepeatable = true, retry = 0, random = 1) =>
  delayBeforeRetry(DEFAULT_RETRY, failure, isRepeatable, retry, random);

describe("a retry", () => {
  test("waits twice as long each time, with up to half of it left to chance", () => {
    expect([0, 1, 2].map((retry) => delay(answered(503), true, retry))).toEqual([200, 400, 800]);
    expect([0, 1, 2].map((retry) => delay(answered(503), true, retry, 0))).toEqual([100, 200, 400]);
  });

  test("never comes after the last one", () => {
    expect(delay(answered(503), true, 3)).toBeNull();
  });

  test.each([400, 401, 402, 403, 404, 409, 422, 500])("never follows a %i", (status) => {
    expect(delay(answered(status))).toBeNull();
  });

  test("waits as long as the server asks", () => {
    expect(delay(answered(429, 3000))).toBe(3000);
    expect(delay(answered(429, 0))).toBe(200);
  });

  test("gives up rather than come before the server wants it", () => {
    expect(delay(answered(429, 60_000))).toBeNull();
  });

  test("of what cannot be repeated follows only what surely was not done", () => {
    expect(delay(answered(429), false)).toBe(200);
    expect(delay(silent("refused"), false)).toBe(200);
    expect(delay(answered(503), false)).toBeNull();
    expect(delay(silent("timeout"), false)).toBeNull();
    expect(delay(silent("connection_lost"), false)).toBeNull();
  });
});

test.each([
  [null, null],
  ["2", 2000],
  ["Thu, 01 Jan 1970 00:00:10 GMT", 9000],
  ["Thu, 01 Jan 1970 00:00:00 GMT", 0],
  ["soon", null],
])("retry-after %j is %j ms", (header, expected) => {
  expect(retryAfterMilliseconds(header, 1000)).toBe(expected);
});
