import { randomBytes } from "node:crypto";

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** An id as Stripe writes them: `pi_` and 24 letters or digits. */
export function newId(prefix: string, length = 24): string {
  return `${prefix}_${randomLetters(length)}`;
}

export function randomLetters(length: number): string {
  return Array.from(randomBytes(length), (byte) => LETTERS[byte % LETTERS.length]!).join("");
}

/** The id of what is held as an id or, in answers only, as the whole object. */
export function idOf(value: string | { readonly id: string }): string;
export function idOf(value: string | { readonly id: string } | null): string | null;
export function idOf(value: string | { readonly id: string } | null): string | null {
  return value === null || typeof value === "string" ? value : value.id;
}
