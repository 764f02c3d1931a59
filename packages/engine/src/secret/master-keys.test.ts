import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { openMasterKeys, parseMasterKey } from "./master-keys.ts";

test("32 random bytes are a master key in each of their spellings, under one id", () => {
  const bytes = randomBytes(32);
  const ids = (["base64url", "base64", "hex"] as const).map(
    (encoding) => parseMasterKey(bytes.toString(encoding))?.id,
  );
  expect(new Set(ids)).toEqual(new Set([expect.stringMatching(/^[0-9a-f]{12}$/)]));
  expect(parseMasterKey(randomBytes(32).toString("hex"))?.id).not.toBe(ids[0]);
});

test.each([
  ["nothing", ""],
  ["a word", "correct horse battery staple"],
  ["16 bytes", randomBytes(16).toString("hex")],
  ["one byte many times", "00".repeat(32)],
  ["two bytes many times", "ab01".repeat(16)],
])("%s is none", (_, text) => {
  expect(parseMasterKey(text)).toBeNull();
  expect(() => openMasterKeys([text])).toThrow("32 random bytes");
});
