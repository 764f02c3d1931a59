import { createHash, randomBytes } from "node:crypto";

/** 256 random bits. The prefix says what it opens: `bsk_` an account, `bsa_` everything. */
export function newSecret(kind: "account" | "admin"): string {
  return `${kind === "admin" ? "bsa" : "bsk"}_${randomBytes(32).toString("base64url")}`;
}

/** Shown in lists, to recognise a key by: too short to guess the rest from. */
export function prefixOf(secret: string): string {
  return secret.slice(0, 10);
}

export function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}
