import { LedgerUnavailable } from "@bursar/engine/ledger/lane";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { unexpected } from "./unexpected.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

it("refuses every request of an outage by name, and tells one a second of each reason, with how many were not", () => {
  const told: unknown[] = [];
  const warn = ({ where, untold }: Record<string, unknown>) => told.push([where, untold]);
  const log = { info: () => undefined, warn, error: () => undefined };
  const refused = Object.assign(new Error("connect"), { code: "ECONNREFUSED" });
  const answer = (error: Error, where: string) => unexpected({ log }, error, "req_1", where).problem;
  for (const where of ["a", "b", "c"]) {
    expect(answer(new LedgerUnavailable("the database did not answer in time"), where)).toBe("unavailable");
    expect(answer(refused, where)).toBe("unavailable");
  }
  expect(told).toEqual([
    ["a", 0],
    ["a", 0],
  ]);
  vi.advanceTimersByTime(1000);
  answer(refused, "d");
  expect(told[2]).toEqual(["d", 2]);
});
