import { credits } from "@bursar/contract/money";
import { creditSales } from "@bursar/contract/operations/prices";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mostCreditsFor, priceOf, quoteCredits, quotePack } from "./credit-price.ts";

const sales = creditSales.parse({
  tiers: [
    { id: "small", credits: "1000", prices: { eur: 200, usd: 300, jpy: 400 } },
    { id: "large", credits: "10000", prices: { eur: 1000, usd: 1500, jpy: 2000 } },
  ],
  packs: [{ id: "mini", credits: "50", prices: { eur: 599 } }],
});

describe("the price of an amount", () => {
  it.each([
    ["500", "eur", 100],
    ["501", "eur", 101],
    ["1000", "eur", 200],
    ["1600", "eur", 320],
    ["4999", "eur", 1000],
    // Never more than a tier that gives more.
    ["5001", "eur", 1000],
    ["10000", "eur", 1000],
    ["10001", "eur", 1001],
    ["1600", "jpy", 640],
    ["501", "jpy", 201],
  ] as const)("%s credits cost %s %i", (amount, currency, price) => {
    expect(priceOf(sales, credits(amount), currency)).toBe(price);
  });

  it("rises with the amount, and the most that money buys is within it and not one credit short", () => {
    const whole = fc.integer({ min: 500, max: 1_000_000 });
    fc.assert(
      fc.property(whole, whole, (one, other) => {
        const [less, more] = one < other ? [one, other] : [other, one];
        const price = (of: number) => priceOf(sales, BigInt(of) * 1_000_000n, "eur")!;
        expect(price(less)).toBeLessThanOrEqual(price(more));
        const most = Number(mostCreditsFor(sales, price(more), "eur")! / 1_000_000n);
        expect(most).toBeGreaterThanOrEqual(more);
        expect(price(most)).toBeLessThanOrEqual(price(more));
        if (most < 1_000_000) expect(price(most + 1)).toBeGreaterThan(price(more));
      }),
    );
  });

  it("too little money buys nothing", () => {
    expect(mostCreditsFor(sales, 99, "eur")).toBeNull();
    expect(mostCreditsFor(sales, 100, "eur")).toBe(credits("500"));
  });
});

describe("a quote", () => {
  it("names what is wrong", () => {
    expect(quotePack(sales, "mini", "jpy")).toEqual({ kind: "currency_not_sold", currency: "jpy" });
    expect(quotePack(sales, "huge", "eur")).toEqual({
      kind: "pack_unknown",
      known: ["small", "large", "mini"],
    });
    expect(quoteCredits(sales, credits("499.999999"), "eur").kind).toBe("out_of_range");
    expect(quotePack(sales, "mini", "eur")).toEqual({
      kind: "quoted",
      credits: credits("50"),
      amount: 599,
    });
  });
});
