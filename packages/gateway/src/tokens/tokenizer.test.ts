import { countTokens } from "gpt-tokenizer/encoding/o200k_base";
import { describe, expect, it } from "vitest";
import { countInTurns, loadTokenizer } from "./tokenizer.ts";

describe("counting tokens", () => {
  it("counts long prose as the library does", async () => {
    const text = "The ledger is the one door to money, and every entry carries the balance after it. ".repeat(
      500,
    );
    expect(await countInTurns([text])).toBe(countTokens(text));
  });

  it("takes the text of special tokens for text", async () => {
    const count = await loadTokenizer();
    expect(count("say <|endoftext|> aloud")).toBeGreaterThan(3);
  });

  it("takes time in proportion, also for one endless word", async () => {
    const count = await loadTokenizer();
    const timeFor = (length: number) => {
      const text = Array.from({ length }, (_, index) =>
        String.fromCharCode(97 + ((index * 7 + (index >> 3)) % 26)),
      );
      const start = performance.now();
      count(text.join(""));
      return performance.now() - start;
    };
    timeFor(10_000);
    // Ten times the text would take a hundred times as long if words were not cut.
    expect(timeFor(200_000)).toBeLessThan(Math.max(timeFor(20_000), 5) * 40);
  });
});
