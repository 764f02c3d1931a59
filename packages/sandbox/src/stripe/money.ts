import { invalid } from "./refusal.ts";

/** The smallest charge in the currency's minor unit, as Stripe publishes it. Currencies without an entry are refused. */
const MINIMUMS: Readonly<Record<string, number>> = {
  usd: 50,
  eur: 50,
  gbp: 30,
  jpy: 50,
  aud: 50,
  cad: 50,
  chf: 50,
};

const WITHOUT_MINOR_UNIT: ReadonlySet<string> = new Set(["jpy"]);
const LARGEST = 99_999_999;

/** The currency in lower case. Throws a refusal for one that this sandbox does not have. */
export function currencyOf(text: string, param = "currency"): string {
  const currency = text.toLowerCase();
  if (currency in MINIMUMS) return currency;
  const supported = Object.keys(MINIMUMS).join(", ");
  throw invalid(
    `Invalid currency: ${currency}. Stripe currently supports these currencies: ${supported}`,
    param,
  );
}

/** Refuses what is too small or too large to be charged. */
export function checkAmount(amount: number, currency: string, param = "amount"): void {
  const smallest = MINIMUMS[currency]!;
  if (amount < smallest) {
    const message = `Amount must be at least ${formatAmount(smallest, currency)} ${currency}`;
    throw invalid(message, param, "amount_too_small");
  }
  if (amount <= LARGEST) return;
  const message = `Amount must be no more than ${formatAmount(LARGEST, currency)} ${currency}`;
  throw invalid(message, param, "amount_too_large");
}

const SIGNS: Readonly<Record<string, string>> = { usd: "$", eur: "€", gbp: "£", jpy: "¥" };

/** "$10.99" of 1099 usd, "¥500" of 500 jpy. */
export function formatAmount(amount: number, currency: string): string {
  const digits = WITHOUT_MINOR_UNIT.has(currency) ? 0 : 2;
  const text = (Math.abs(amount) / 10 ** digits).toFixed(digits);
  return `${amount < 0 ? "-" : ""}${SIGNS[currency] ?? ""}${text}`;
}

/** What Stripe keeps: 2.9 % and 30 minor units, rounded. */
export function feeOf(amount: number): number {
  return Math.round(amount * 0.029) + 30;
}
