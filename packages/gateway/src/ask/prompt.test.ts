import { expect, it } from "vitest";
import { Prompt } from "./prompt.ts";

it("bounds a prompt by no more than it is asked for, and counts what is longer no further", async () => {
  const prompt = new Prompt(["The ledger is the one door to money. ".repeat(100)], 7);
  const bound = await prompt.carefulBound();
  expect(bound).toBeLessThan(prompt.quickBound);
  for (const most of [0, 10, bound - 1, bound, bound + 1, prompt.quickBound, Number.MAX_SAFE_INTEGER]) {
    const fresh = new Prompt(["The ledger is the one door to money. ".repeat(100)], 7);
    expect(await fresh.carefulBoundUpTo(most)).toBe(most < bound ? null : bound);
    expect(await fresh.carefulBound()).toBe(bound);
  }
});

it("knows at once that a prompt of many megabytes is more than a credit pays for", async () => {
  const prompt = new Prompt(["qwertyuiop".repeat(2_000_000)], 0);
  const before = process.cpuUsage();
  expect(await prompt.carefulBoundUpTo(1000)).toBeNull();
  // Of work, not by the clock: a machine may do other things meanwhile.
  expect(process.cpuUsage(before).user / 1000).toBeLessThan(2000);
});
