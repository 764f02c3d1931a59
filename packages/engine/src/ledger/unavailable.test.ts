import { expect, it } from "vitest";
import { isUnavailable } from "./unavailable.ts";

const failed = (code: string) => Object.assign(new Error("failed"), { code });

it.each([
  ["ENOTFOUND", "its name is not found"],
  ["EHOSTUNREACH", "no way leads to it"],
  ["28P01", "its password has changed"],
  ["3D000", "it is being made anew"],
  ["25006", "it may only be read, as the old one after a switch"],
  ["53300", "it has no connection left"],
])("takes %s for a database that is out of reach: %s", (code) => {
  expect(isUnavailable(failed(code))).toBe(true);
});

it.each(["42P01", "23505", "22P02", "25P02", ""])("takes %j for a fault of the code", (code) => {
  expect(isUnavailable(failed(code))).toBe(false);
});
