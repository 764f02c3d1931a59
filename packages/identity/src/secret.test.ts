import { expect, test } from "vitest";
import { decrypt, deriveKey, encrypt } from "./secret.ts";

const SECRET = "a secret of this test alone, 0123456789";

test("what is encrypted opens with the same secret and purpose, and with nothing else", () => {
  const key = deriveKey(SECRET, "signing-keys");
  const sealed = encrypt(key, "private");
  expect(decrypt(key, sealed)).toBe("private");
  expect(decrypt(deriveKey(SECRET, "sessions"), sealed)).toBeNull();
  expect(decrypt(deriveKey(`${SECRET}!`, "signing-keys"), sealed)).toBeNull();
  expect(encrypt(key, "private").equals(sealed)).toBe(false);
});

test("a changed byte anywhere is noticed, and so is a cut", () => {
  const key = deriveKey(SECRET, "signing-keys");
  const sealed = encrypt(key, "private");
  for (let index = 0; index < sealed.length; index++) {
    const changed = Buffer.from(sealed);
    changed[index]! ^= 1;
    expect(decrypt(key, changed), `byte ${index}`).toBeNull();
    expect(decrypt(key, sealed.subarray(0, index)), `cut at ${index}`).toBeNull();
  }
});
