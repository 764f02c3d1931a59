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
});
