import { z } from "zod";

/** What people pay in. */
export const CURRENCIES = ["eur", "usd", "jpy"] as const;
export type Currency = (typeof CURRENCIES)[number];

/** Yen has no smaller unit: 400 is 400 yen, where 400 cents are 4 euros. */
const DECIMALS: Record<Currency, number> = { eur: 2, usd: 2, jpy: 0 };

export const currency = z.enum(CURRENCIES, { error: `must be one of ${CURRENCIES.join(", ")}` });

/** Money is a whole number of the currency's minor units; payment providers allow eight digits. */
const LARGEST_MINOR = 99_999_999;

export const MINOR_UNITS = "must be a whole number in the currency's minor unit: cents, or yen";

export const minorUnits = z
  .int({ error: MINOR_UNITS })
  .min(1, "must be at least 1, in the currency's minor unit: cents, or yen")
  .max(LARGEST_MINOR, `must be at most ${LARGEST_MINOR}, in the currency's minor unit`);

export const minorUnitsText = z.int().describe("In the currency's minor unit: cents, or yen");

/** "EUR 9.99", "JPY 400": the same everywhere, whatever the reader's language. */
export function formatMoney(minor: number, of: Currency): string {
  const decimals = DECIMALS[of];
  const digits = String(Math.abs(minor)).padStart(decimals + 1, "0");
  const whole = decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
  return `${of.toUpperCase()} ${minor < 0 ? "-" : ""}${whole}`;
}
