import { expect, test } from "vitest";
import { readDirectives, readFaultWords, withoutDirectives } from "./directive.ts";

function settings(text: string) {
  const reading = readDirectives(text);
  return reading.kind === "read" ? reading.settings : reading.reason;
}

test.each([
  ["no directive at all", {}],
  ["[[sandbox: delay=500ms]]", { delayMs: 500 }],
  ["[[sandbox: delay=2s interval=20]] hi", { delayMs: 2000, intervalMs: 20 }],
  ["[[sandbox: status=429 retry_after=1]]", { status: 429, retryAfterSeconds: 1 }],
  ["[[sandbox: no_usage, empty]]", { noUsage: true, empty: true }],
  ["a [[sandbox: tokens=5]] b [[sandbox: tokens=7 no_done]]", { answerTokens: 7, noDone: true }],
  ['[[sandbox: say="Hello \\"you\\" ]]" cached=3]]', { say: 'Hello "you" ]]', cachedTokens: 3 }],
  [
    '[[sandbox: tool=a args={"list":[["]]"]]} tool=b]]',
    { toolCalls: [{ name: "a", arguments: '{"list":[["]]"]]}' }, { name: "b" }] },
  ],
])("%s", (text, expected) => {
  expect(settings(text)).toEqual(expected);
});

test.each([
  ["[[sandbox: dealy=5]]", "Unknown sandbox directive: dealy"],
  ["[[sandbox: toString]]", "Unknown sandbox directive"],
  ["[[sandbox: constructor=1]]", "Unknown sandbox directive"],
  ["[[sandbox: delay=soon]]", "Bad value for sandbox directive: delay=soon"],
  ["[[sandbox: status=200]]", "Bad value"],
  ["[[sandbox: args={}]]", "Bad value"],
  ["[[sandbox: tokens=-1]]", "Bad value"],
  ["[[sandbox: empty", "not closed"],
])("%s is refused and says why", (text, reason) => {
  expect(settings(text)).toContain(reason);
});

test("a fault is the same words without brackets", () => {
  expect(readFaultWords("status=503 code=busy")).toEqual({
    kind: "read",
    settings: { status: 503, code: "busy" },
  });
  expect(readFaultWords("status=503 ]]").kind).toBe("bad");
});

test("a quoted question shows no directive", () => {
  expect(withoutDirectives("[[sandbox: tokens=3]] Why is [[sandbox: no_done]]the sky blue?")).toBe(
    "Why is the sky blue?",
  );
});
