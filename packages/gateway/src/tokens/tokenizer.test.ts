import { randomBytes } from "node:crypto";
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

  it("takes time in proportion to the text, also where there are no spaces in it", async () => {
    const count = await loadTokenizer();
    const before = process.cpuUsage();
    expect(count("a".repeat(8_000_000))).toBeGreaterThan(500_000);
    // Of work, not by the clock: a machine may do other things meanwhile.
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(3000);
  });

  it("lets others run while it counts noise", async () => {
    await loadTokenizer();
    let turns = 0;
    let isOver = false;
    const turn = () => {
      turns += 1;
      if (!isOver) setImmediate(turn);
    };
    turn();
    await countInTurns([randomBytes(60_000).toString("base64")]);
    isOver = true;
    expect(turns).toBeGreaterThan(12);
  });

  it("takes the text of special tokens for text", async () => {
    const count = await loadTokenizer();
    expect(count("say <|endoftext|> aloud")).toBeGreaterThan(3);
  });
});
