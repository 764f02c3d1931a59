import { expect, it } from "vitest";
import { type Currency, formatMoney } from "./fiat.ts";

it.each<[number, Currency, string]>([
  [999, "eur", "EUR 9.99"],
  [5, "usd", "USD 0.05"],
  [0, "eur", "EUR 0.00"],
  [400, "jpy", "JPY 400"],
  [-150, "eur", "EUR -1.50"],
])("%i of %s is written %s", (minor, currency, text) => {
  expect(formatMoney(minor, currency)).toBe(text);
});
