import { addSeconds, type Instant } from "@bursar/contract/instant";
import { expect, it } from "vitest";
import { afterFailure } from "./decide.ts";

const createdAt = 1_790_000_000_000_000 as Instant;
const at = (seconds: number) => addSeconds(createdAt, seconds);

it.each([
  [1, 10],
  [2, 20],
  [3, 40],
  [9, 2560],
  [10, 3600],
  [2000, 3600],
])("after attempt %i the next follows in %i s", (attempts, seconds) => {
  const next = afterFailure({ attempts, createdAt, isRefused: false }, at(5));
  expect(next).toEqual({ kind: "again", dueAt: at(5 + seconds) });
});

it("is patient for three days, and no longer", () => {
  const failed = { attempts: 70, createdAt, isRefused: false };
  expect(afterFailure(failed, at(3 * 86_400 - 1)).kind).toBe("again");
  expect(afterFailure(failed, at(3 * 86_400)).kind).toBe("given_up");
});

it("does not ask again where the server will never take the mail", () => {
  expect(afterFailure({ attempts: 1, createdAt, isRefused: true }, at(0))).toEqual({ kind: "given_up" });
});
