import fc from "fast-check";
import { countTokens } from "gpt-tokenizer/encoding/o200k_base";
import { beforeAll, describe, expect, it } from "vitest";
import { loadTokenizer } from "../tokens/tokenizer.ts";
import { Meter } from "./meter.ts";

const PROSE = "Prepaid credits gate every request, and a receipt explains each decision; nothing is free. ";

describe("counting output while it flows", () => {
  beforeAll(async () => void (await loadTokenizer()));

  it("counts prose in pieces exactly as the whole, choice by choice", async () => {
    const text = PROSE.repeat(20);
    const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 400 });
    await fc.assert(
      fc.asyncProperty(sizes, async (steps) => {
        const meter = new Meter();
        let at = 0;
        for (const step of steps) {
          for (const index of [0, 1]) meter.add([{ index, text: text.slice(at, at + step) }]);
          at += step;
          if (step % 7 === 0) meter.tighten();
        }
        expect(await meter.total()).toBe(2 * countTokens(text.slice(0, at)));
      }),
      { numRuns: 30, examples: [[[32, 26, 4, 22, 14, 22, 21, 7, 1]], [[7, 4]]] },
    );
  });

  it("comes to the count of a long piece by and by, and is never below it", async () => {
    const text = PROSE.repeat(400);
    const meter = new Meter();
    expect(meter.countWith([{ index: 0, text }])).toBeGreaterThanOrEqual(countTokens(text));
    meter.add([{ index: 0, text }]);
    const bounds = Array.from({ length: 6 }, () => {
      meter.tighten();
      return meter.atMost;
    });
    expect(bounds).toEqual(bounds.toSorted((a, b) => b - a));
    expect(new Set(bounds).size).toBeGreaterThan(3);
    expect(bounds.at(-1)! - countTokens(text)).toBeLessThan(32);
    expect(await meter.total()).toBe(countTokens(text));
  });

  it("knows of no fewer tokens of text than there are, at any moment", () => {
    const meter = new Meter();
    const text = `${PROSE}漢字を書くのは楽しい。${PROSE}`;
    for (let at = 0; at < text.length; at += 5) {
      meter.add([{ index: 0, text: text.slice(at, at + 5) }]);
      expect(meter.atMost).toBeGreaterThanOrEqual(countTokens(text.slice(0, at + 5)));
      if (at % 50 === 0) meter.tighten();
    }
  });
});
