import { createHmac } from "node:crypto";
import type { Browser } from "./browser.ts";

/** RFC 6238, for the half minute that is `ahead` of now. */
export function codeOf(secret: Buffer, ahead: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + ahead));
  const digest = createHmac("sha1", secret).update(counter).digest();
  const number = digest.readUInt32BE(digest.at(-1)! & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

export function fromBase32(text: string): Buffer {
  const bits = text
    .replace(/=+$/, "")
    .split("")
    .map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"))
    .join("");
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

/** Switches the second factor on for whoever is signed in. Returns the shared secret, and the code that it took: the
 *  one of now, unless a half minute ends meanwhile. */
export async function enrol(
  browser: Browser,
  password: string,
): Promise<{ secret: Buffer; code: string; body: Enabled }> {
  const { body } = await browser.post("/api/identity/two-factor/enable", { password });
  const secret = fromBase32(new URL((body as Enabled).totpURI).searchParams.get("secret")!);
  const code = codeOf(secret, 0);
  const enrolled = await browser.post("/api/identity/two-factor/verify-totp", { code });
  if (enrolled.status !== 200) throw new Error(`enrolling answered ${enrolled.status}`);
  return { secret, code, body: body as Enabled };
}

interface Enabled {
  readonly totpURI: string;
  readonly backupCodes: string[];
}
