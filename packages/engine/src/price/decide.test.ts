import { credits } from "@bursar/contract/money";
import { priceBookBody } from "@bursar/contract/operations/prices";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  affordableInputTokens,
  affordableOutputTokens,
  cheaperModel,
  costOf,
  type PriceBook,
  type Rates,
  ratesFor,
  withMargin,
} from "./decide.ts";

const price = (input: string, output: string, more: object = {}) => ({
  inputPerMillion: input,
  outputPerMillion: output,
  ...more,
});

function book(body: object): PriceBook {
  return { version: 1, body: priceBookBody.parse(body) };
}

const BOOK = book({
  models: {
    small: price("0.15", "0.6", { cachedInputPerMillion: "0.075" }),
    large: price("2.5", "10", { contextTokens: 1000, maxOutputTokens: 500 }),
    generous: price("1", "1", { marginPercent: "0" }),
    free: price("0", "0", { maxOutputTokens: 100 }),
  },
  marginPercent: "20",
});

const used = (inputTokens: number, outputTokens: number, cachedInputTokens = 0) => ({
  inputTokens,
  outputTokens,
  cachedInputTokens,
});

describe("a cost", () => {
  it.each<[string, ReturnType<typeof used>, bigint]>([
    ["generous", used(1_000_000, 0), credits("1")],
    ["generous", used(1, 0), 1n],
    ["generous", used(123, 456), 579n],
    ["small", used(1_000_000, 0), credits("0.18")],
    ["small", used(1_000_000, 0, 1_000_000), credits("0.09")],
    ["small", used(1_000_000, 1_000_000, 500_000), credits("0.855")],
    // 0.18 micro-credits: a cheap call is never free, and never a whole credit.
    ["small", used(1, 0), 1n],
    ["small", used(0, 0), 0n],
    // 0.18 + 0.72 = 0.9 is rounded once, to 1; rounded apart it would be 2.
    ["small", used(1, 1), 1n],
    ["small", used(5, 5), 5n],
    ["large", used(1000, 100), credits("0.0042")],
    ["free", used(1000, 100), 0n],
  ])("of %s for %o is %i", (model, usage, expected) => {
    expect(costOf(ratesFor(BOOK, model)!, usage)).toBe(expected);
  });

  it("is the exact quotient rounded up once, for any rates", () => {
    fc.assert(
      fc.property(rates, tokens, tokens, tokens, (at, fresh, cached, output) => {
        const cost = costOf(at, used(fresh + cached, output, cached));
        const millionths =
          at.input * BigInt(fresh) + at.cachedInput * BigInt(cached) + at.output * BigInt(output);
        const scaled = millionths * (10_000n + at.marginBasisPoints);
        expect(cost * 10_000_000_000n >= scaled).toBe(true);
        expect((cost - 1n) * 10_000_000_000n < scaled).toBe(true);
      }),
    );
  });
});

const rate = fc.bigInt({ min: 0n, max: 200_000_000n });
const tokens = fc.nat({ max: 2_000_000 });
const rates: fc.Arbitrary<Rates> = fc.record({
  input: rate,
  cachedInput: rate,
  output: rate,
  marginBasisPoints: fc.bigInt({ min: 0n, max: 99_999_999n }),
  contextTokens: fc.constant(null),
  maxOutputTokens: fc.option(fc.nat({ max: 100_000 })),
  isDefault: fc.boolean(),
});

describe("what is affordable", () => {
  it("is exact: cost(n) is within the credits and cost(n + 1) is not, unless the model's own limit is reached", () => {
    fc.assert(
      fc.property(rates, tokens, fc.bigInt({ min: 0n, max: 10_000_000_000n }), (at, input, available) => {
        const most = affordableOutputTokens(at, input, available);
        const inputCost = costOf(at, used(input, 0));
        if (inputCost > available) return most === 0;
        if (costOf(at, used(input, most)) > available) return false;
        if (most === (at.maxOutputTokens ?? Number.MAX_SAFE_INTEGER)) return true;
        return costOf(at, used(input, most + 1)) > available;
      }),
      { numRuns: 500 },
    );
  });

  it("is exact for input, too", () => {
    fc.assert(
      fc.property(rates, fc.bigInt({ min: 0n, max: 10_000_000_000n }), (at, available) => {
        const most = affordableInputTokens(at, available);
        if (costOf(at, used(most, 0)) > available) return false;
        return most === Number.MAX_SAFE_INTEGER || costOf(at, used(most + 1, 0)) > available;
      }),
      { numRuns: 500 },
    );
  });

  it("is the model's limit where output is free", () => {
    expect(affordableOutputTokens(ratesFor(BOOK, "free")!, 10, 0n)).toBe(100);
  });

  it("names the dearest cheaper model that fits its context", () => {
    const work = { model: "large", inputTokens: 100, outputTokens: 100 };
    expect(cheaperModel(BOOK, work, 10_000n)).toBe("generous");
    expect(cheaperModel(BOOK, work, 100n)).toBe("small");
    expect(cheaperModel(BOOK, { ...work, outputTokens: 101 }, 0n)).toBeNull();
    expect(cheaperModel(BOOK, { model: "free", inputTokens: 1, outputTokens: 1 }, 10_000n)).toBeNull();
  });
});

describe("rates", () => {
  it("of an unknown model are refused, also of one named like an object's own members", () => {
    for (const model of ["unknown", "toString", "__proto__", "constructor"])
      expect(ratesFor(BOOK, model)).toBeNull();
  });

  it("of an unknown model are the book's default where it has one", () => {
    const withDefault = book({ models: {}, unknownModel: price("1", "2"), marginPercent: "12.5" });
    expect(ratesFor(withDefault, "anything")).toEqual({
      ...{ input: credits("1"), cachedInput: credits("1"), output: credits("2"), marginBasisPoints: 1250n },
      ...{ contextTokens: null, maxOutputTokens: null, isDefault: true },
    });
  });

  it.each([
    ["0", 0n],
    ["20", 2000n],
    ["12.5", 1250n],
    ["0.01", 1n],
    ["9999.99", 999_999n],
  ])("with a margin of %s percent", (marginPercent, basisPoints) => {
    const rates = ratesFor(book({ models: { m: price("1", "1") }, marginPercent }), "m");
    expect(rates?.marginBasisPoints).toBe(basisPoints);
  });

  it("a model's own margin comes before the book's, and is shown rounded up like a charge", () => {
    expect(ratesFor(BOOK, "generous")!.marginBasisPoints).toBe(0n);
    expect(withMargin(1n, 1n)).toBe(2n);
    expect(withMargin(credits("2.5"), 2000n)).toBe(credits("3"));
  });
});
