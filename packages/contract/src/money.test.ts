import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  credits,
  divideRoundingDown,
  divideRoundingUp,
  formatCredits,
  larger,
  parseCredits,
  smaller,
} from "./money.ts";

describe("credits as text", () => {
  it.each<[string, bigint]>([
    ["0", 0n],
    ["1", 1_000_000n],
    ["12.5", 12_500_000n],
    ["0.000001", 1n],
    ["-3", -3_000_000n],
    ["-0.5", -500_000n],
    ["007", 7_000_000n],
    ["1.100000", 1_100_000n],
    ["9999999999999.999999", 9_999_999_999_999_999_999n],
  ])("%s is %i micro-credits", (text, micro) => {
    expect(parseCredits(text)).toBe(micro);
    expect(credits(text)).toBe(micro);
  });

  it.each([
    ...[
      "",
      " ",
      "1 ",
      " 1",
      "+1",
      "1.",
      ".5",
      "1.0000001",
      "1,5",
      "1e3",
      "NaN",
      "Infinity",
      "0x10",
      "--1",
      "1\n",
    ],
    ...["12345678901234", "١٢", "1_000", "-", "null"],
  ])("%j is not an amount", (text) => {
    expect(parseCredits(text)).toBeNull();
    expect(() => credits(text)).toThrow("not an amount");
  });

  it("is written as short as can be, and read back exactly", () => {
    expect([1n, 12_500_000n, -3_000_000n, 0n, -1n].map(formatCredits)).toEqual([
      "0.000001",
      "12.5",
      "-3",
      "0",
      "-0.000001",
    ]);
    const amount = fc.bigInt({ min: -(10n ** 19n) + 1n, max: 10n ** 19n - 1n });
    fc.assert(fc.property(amount, (micro) => parseCredits(formatCredits(micro)) === micro));
    fc.assert(fc.property(amount, (micro) => !/\.\d*0$|\.$/.test(formatCredits(micro))));
  });
});

describe("rounding", () => {
  const positive = fc.bigInt({ min: 1n, max: 10n ** 20n });
  it("up is the least number that covers, down the most that is covered", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 25n }), positive, (a, b) => {
        const [up, down] = [divideRoundingUp(a, b), divideRoundingDown(a, b)];
        return up * b >= a && (up - 1n) * b < a && down * b <= a && (down + 1n) * b > a;
      }),
    );
  });

  it("smaller and larger choose", () => {
    expect([smaller(1n, 2n), smaller(2n, 1n), larger(1n, 2n), larger(2n, 1n)]).toEqual([1n, 1n, 2n, 2n]);
  });
});
