import { assert, property, string } from "fast-check";
import { expect, test } from "vitest";
import { countTokens, tokenize } from "./tokens.ts";

test.each([
  ["", 0],
  ["Hello", 1],
  ["Hello, world!", 4],
  ["  leading and trailing  ", 4],
  ["don't", 3],
  ["a_b 12.5", 4],
  ["x".repeat(33), 3],
  ["日本語", 1],
  ["🙂🙂", 2],
  ["\n\n", 1],
])("%j is %i tokens", (text, count) => {
  expect(countTokens(text)).toBe(count);
});

test("tokens joined are the text again, whatever the text", () => {
  assert(property(string({ unit: "binary" }), (text) => tokenize(text).join("") === text));
});

test("the beginning of an answer keeps its count, so a cut answer can be predicted", () => {
  const tokens = tokenize("One, two; three (four) five.");
  for (let length = 0; length <= tokens.length; length += 1) {
    expect(countTokens(tokens.slice(0, length).join(""))).toBe(length);
  }
});

test("a long run of white space does not slow it down", () => {
  const before = process.cpuUsage();
  expect(countTokens(`${" ".repeat(200_000)}\n`)).toBe(1);
  // Of work, not by the clock: a machine may do other things meanwhile.
  expect(process.cpuUsage(before).user / 1000).toBeLessThan(500);
});
