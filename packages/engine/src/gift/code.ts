import { pbkdf2 } from "node:crypto";
import { promisify } from "node:util";
import { randomText } from "@bursar/contract/random-text";

/** Without 0, O, 1 and I, which people take for each other. */
export const CODE_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

const twelve = randomText(CODE_ALPHABET, 12);

/** 60 random bits, as they are printed: XXXX-XXXX-XXXX. */
export function newGiftCode(): string {
  return twelve().replace(/(.{4})(.{4})(.{4})/, "$1-$2-$3");
}

const derive = promisify(pbkdf2);

/** A thousand rounds cost a redemption under a millisecond, and whoever steals the table a thousand times the work: 60
 *  bits alone would be within reach. One salt for all, because a card is found by its hash. */
const ROUNDS = 1000;

/** Hashes whatever was typed, a code or not, in the same way and time. Case, spaces and dashes do not matter. */
export function hashOfGiftCode(typed: string): Promise<Buffer> {
  return derive(typed.replace(/[\s-]/g, "").toUpperCase(), "bursar gift card", ROUNDS, 32, "sha256");
}
