import { formatCredits, type MicroCredits, parseCredits } from "@bursar/contract/money";

/** This API writes credits as JSON numbers. A number is read by its shortest decimal text, so that 0.1 is exactly a
 *  tenth; no arithmetic is done on it. null for what is not a number of credits with at most 6 decimals. */
export function creditsOf(value: unknown): MicroCredits | null {
  return typeof value === "number" && Number.isFinite(value) ? parseCredits(String(value)) : null;
}

export function positiveCreditsOf(value: unknown): MicroCredits | null {
  const credits = creditsOf(value);
  return credits !== null && credits > 0n ? credits : null;
}

export function numberOf(credits: MicroCredits): number {
  return Number(formatCredits(credits));
}

const MOST_TOKENS = 1_000_000_000;

/** A count of tokens: whole, not negative. */
export function tokensOf(value: unknown): number | null {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= MOST_TOKENS
    ? (value as number)
    : null;
}
