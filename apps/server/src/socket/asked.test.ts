import { SESSION_LIMITS } from "@bursar/contract/socket/limits";
import { expect, test } from "vitest";
import { Asked } from "./asked.ts";

const patience = (timeoutMilliseconds = 5000, signal = new AbortController().signal) => ({
  timeoutMilliseconds,
  signal,
});
const answer = (fields: object) => ({ type: "tool-call-response", requestId: "r", ...fields }) as const;

test("puts an answer in pieces together", async () => {
  const asked = new Asked();
  const answered = asked.ask("r", "tool-call-response", patience());
  const text = JSON.stringify({ path: "ü😀", lines: ["a", "b"] });
  const piece = (index: number) => answer({ piece: text[index], index, more: index < text.length - 1 });
  expect(asked.take(piece(1))).toMatchObject({ error: "invalid_request", param: "data.index" });
  for (let index = 0; index < text.length; index++) {
    expect(asked.take(piece(index))).toBeNull();
    // What is sent again after a reconnect.
    expect(asked.take(piece(index))).toBeNull();
  }
  expect(await answered).toEqual({ kind: "answered", output: { path: "ü😀", lines: ["a", "b"] } });
});

test("takes an answer once, and is not disturbed by a repetition", async () => {
  const asked = new Asked();
  const answered = asked.ask("r", "tool-call-response", patience());
  expect(asked.take(answer({ output: 1 }))).toBeNull();
  expect(asked.take(answer({ output: 2 }))).toBeNull();
  expect(await answered).toEqual({ kind: "answered", output: 1 });
  expect(asked.take({ ...answer({ output: 1 }), requestId: "another" })).toMatchObject({
    error: "request_unknown",
  });
});

test("stops an answer that is too large, and one that is no JSON", async () => {
  const asked = new Asked();
  const large = asked.ask("r", "tool-call-response", patience());
  const piece = "x".repeat(SESSION_LIMITS.answerBytes / 4 + 1);
  for (let index = 0; index < 3; index++) expect(asked.take(answer({ piece, index, more: true }))).toBeNull();
  expect(asked.take(answer({ piece, index: 3, more: true }))).toMatchObject({ error: "answer_too_large" });
  expect(await large).toMatchObject({ kind: "failed" });
  const broken = asked.ask("s", "tool-call-response", patience());
  expect(asked.take({ ...answer({ piece: "{", index: 0, more: false }), requestId: "s" })).toMatchObject({
    error: "invalid_json",
  });
  expect(await broken).toMatchObject({ kind: "failed" });
});

test("waits no longer than it was told to, and not for what is called off", async () => {
  const asked = new Asked();
  expect(await asked.ask("r", "tool-call-response", patience(5))).toEqual({ kind: "timed_out" });
  const off = new AbortController();
  const cancelled = asked.ask("s", "read-files-response", patience(5000, off.signal));
  off.abort();
  expect(await cancelled).toEqual({ kind: "cancelled" });
  expect(await asked.ask("t", "read-files-response", patience(5000, off.signal))).toEqual({
    kind: "cancelled",
  });
});
