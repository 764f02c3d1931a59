import type { ModelMessage } from "ai";
import { expect, it } from "vitest";
import { assistantMessage, resultsMessage, withinContext } from "./conversation.ts";

function turn(number: number, size: number): ModelMessage[] {
  const calls = [{ callId: `c${number}`, toolName: "read_files", input: { paths: ["a"] } }];
  const answers = new Map([[`c${number}`, { ok: true as const, output: { text: "x".repeat(size) } }]]);
  return [assistantMessage(`turn ${number}`, calls), resultsMessage(calls, answers)];
}

const conversation = (turns: number): ModelMessage[] => [
  { role: "user", content: "the task" },
  ...Array.from({ length: turns }, (_, number) => turn(number, 1000)).flat(),
];

it("a conversation that fits stays as it is", () => {
  const messages = conversation(5);
  expect(withinContext(messages, 10_000)).toEqual(messages);
});

it("one that is too long loses its oldest tool answers, and neither a word nor a call", () => {
  const messages = conversation(10);
  const shorter = withinContext(messages, 6000);
  expect(JSON.stringify(shorter).length).toBeLessThan(7500);
  expect(shorter.filter(({ role }) => role !== "tool")).toEqual(
    messages.filter(({ role }) => role !== "tool"),
  );
  const isWhole = shorter
    .filter(({ role }) => role === "tool")
    .map((message) => JSON.stringify(message).includes("xxx"));
  expect(isWhole).toEqual(isWhole.toSorted((a, b) => Number(a) - Number(b)));
  expect(isWhole.at(0)).toBe(false);
  expect(shorter.slice(-4)).toEqual(messages.slice(-4));
});

it("and of its oldest calls what they were given at length, because a model that writes much reads it all again", () => {
  const write = (number: number): ModelMessage[] => {
    const input = { path: `${number}.md`, content: "y".repeat(1000) };
    const calls = [{ callId: `c${number}`, toolName: "write_file", input }];
    return [assistantMessage("", calls), resultsMessage(calls, new Map([[`c${number}`, DONE]]))];
  };
  const messages = Array.from({ length: 10 }, (_, number) => write(number)).flat();
  const shorter = withinContext(messages, 6000);
  expect(JSON.stringify(shorter).length).toBeLessThan(7500);
  expect(JSON.stringify(shorter[0])).toContain('"path":"0.md"');
  expect(JSON.stringify(shorter[0])).toContain("800 characters left out");
  expect(shorter.slice(-4)).toEqual(messages.slice(-4));
});

const DONE = { ok: true, output: {} } as const;

it("of the newest answers, only the longest that do not fit are left out, and that is said", () => {
  const calls = ["long", "short"].map((callId) => ({ callId, toolName: "read_files", input: {} }));
  const answer = (text: string) => ({ ok: true as const, output: { text } });
  const answers = new Map([
    ["long", answer("x".repeat(9000))],
    ["short", answer("fits")],
  ]);
  const said = JSON.stringify(withinContext([resultsMessage(calls, answers)], 6000));
  expect(said).not.toContain("xxx");
  expect(said).toContain("too long to be read at once");
  expect(said).toContain("fits");
});
