import { formatCredits, type MicroCredits, parseCredits } from "@bursar/contract/money";

/** This API writes credits as JSON numbers. A number is read by its shortest decimal text, so that 0.1 is exactly a
 *  tenth; no arithmetic is done on it. What a client has added up itself (0.1 + 0.2) is read without the dust of binary
 *  fractions. null for what is not a number of credits with at most 6 decimals. */
export function creditsOf(value: unknown): MicroCredits | null {
  if (typeof value !== "number" || !Number.isFinite(value)) return null;
  return parseCredits(String(value)) ?? parseCredits(withoutDust(value));
}

/** A thousandth of a micro-credit, or the last places of a number too large for that. */
const dustOf = (value: number) => 1e-9 + Math.abs(value) * 2 ** -50;

/** The text of the nearest micro-credit where the number means it, else the number's own. */
function withoutDust(value: number): string {
  const nearest = value.toFixed(6);
  return Math.abs(Number(nearest) - value) <= dustOf(value) ? nearest : String(value);
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
