import { parseCredits } from "@bursar/contract/money";
import type { Receipt } from "@bursar/contract/operations/history";
import type { Look } from "../context.ts";
import { amount, count, creditsText } from "../output/amount.ts";
import { table } from "../output/table.ts";

type Price = NonNullable<Receipt["price"]>;

interface Term {
  readonly tokens: string;
  readonly rate: string;
  readonly cost: string;
}

/** Tokens times a price per million tokens is exact in millionths of micro-credits: 12 decimals of a credit. */
const TOKEN_PRICE_DECIMALS = 12;

/** The sum by which a price came about, so that it can be worked out again by hand. null where the caller named the
 *  amount itself. */
export function arithmeticOf(receipt: Receipt, { paint }: Look): string | null {
  const { price } = receipt;
  if (price === null || price.inputTokens === null) return null;
  const terms = termsOf(price);
  const lines = table(
    paint,
    [
      { title: "TOKENS", align: "decimal", of: (term) => term.tokens },
      { title: "PER MILLION", align: "decimal", of: (term) => term.rate },
      { title: "CREDITS", align: "decimal", of: (term) => term.cost },
    ],
    terms,
    "",
  );
  return `version ${price.version} of the price book, model ${price.model}\n${lines}\n${totalOf(receipt, price)}`;
}

function termsOf(price: Price): Term[] {
  const cached = price.cachedInputTokens ?? 0;
  const fresh = (price.inputTokens ?? 0) - cached;
  return [
    term(fresh, "input ", price.inputPerMillion),
    ...(cached === 0 ? [] : [term(cached, "cached", price.cachedInputPerMillion)]),
    term(price.outputTokens ?? 0, "output", price.outputPerMillion),
  ];
}

function term(tokens: number, what: string, rate: string): Term {
  return {
    tokens: `${count(tokens)} ${what}`,
    rate: amount(rate),
    cost: decimal(BigInt(tokens) * micro(rate), TOKEN_PRICE_DECIMALS),
  };
}

/** The margin, the one rounding, and what came of it. */
function totalOf(receipt: Receipt, price: Price): string {
  const exact = exactCost(price);
  const margin = price.marginPercent === "0" ? "" : `, with ${price.marginPercent}% margin`;
  const rounded = roundedUp(exact);
  const isExact = rounded.length >= exact.length;
  const sum = `together${margin}: ${amount(rounded)}${isExact ? "" : ` (${exact}, rounded up to a micro-credit)`}`;
  return `${sum}${verdictOn(receipt)}`;
}

/** A refused or still open call was priced at the most that it could have cost. */
function verdictOn({ decision, charged, entries }: Receipt): string {
  const isCharged = entries.some(({ kind }) => kind === "settle" || kind === "spend" || kind === "overrun");
  if (isCharged) return `; charged ${creditsText(charged)}`;
  return decision === "deny" ? ", had it been allowed" : ", at most";
}

const MARGIN_DECIMALS = 4;

function exactCost(price: Price): string {
  const cached = BigInt(price.cachedInputTokens ?? 0);
  const fresh = BigInt(price.inputTokens ?? 0) - cached;
  const sum =
    fresh * micro(price.inputPerMillion) +
    cached * micro(price.cachedInputPerMillion) +
    BigInt(price.outputTokens ?? 0) * micro(price.outputPerMillion);
  // Percent with two decimals: parts of ten thousand.
  const margin = micro(price.marginPercent) / 10_000n;
  return decimal(sum * (10_000n + margin), TOKEN_PRICE_DECIMALS + MARGIN_DECIMALS);
}

function roundedUp(exact: string): string {
  const [whole = "0", fraction = ""] = exact.split(".");
  const kept = BigInt(whole + fraction.slice(0, 6).padEnd(6, "0"));
  return decimal(fraction.length > 6 ? kept + 1n : kept, 6);
}

function micro(credits: string): bigint {
  return parseCredits(credits) ?? 0n;
}

/** The shortest exact decimal of a number that is counted in units of 10^-places. */
function decimal(units: bigint, places: number): string {
  const digits = units.toString().padStart(places + 1, "0");
  const fraction = digits.slice(-places).replace(/0+$/, "");
  return `${digits.slice(0, -places)}${fraction === "" ? "" : `.${fraction}`}`;
}
