/** Providers that do not keep to what they are told, or do not tell what they should. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { projectFolder } from "@bursar/client/agent/testing/project-folder";
import { credits } from "@bursar/contract/money";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Running, ran, startRunning } from "./running.ts";

let answer: (response: ServerResponse) => void;
const server = createServer((_, response) => {
  response.setHeader("content-type", "text/event-stream");
  answer(response);
});
const chunk = (content: string, fields: object = {}) =>
  `data: ${JSON.stringify({ id: "chat", choices: [{ index: 0, delta: { content } }], ...fields })}\n\n`;

let running: Running;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  running = await startRunning({ url: `http://127.0.0.1:${port}`, apiKey: "none", model: "odd" });
});
afterAll(async () => {
  await running.close();
  server.close();
});

it("an answer that breaks off is billed at what came of it, and not at what was counted before", async () => {
  const text = "word ".repeat(400).trim();
  const usage = { prompt_tokens: 100, completion_tokens: 1, total_tokens: 101 };
  answer = (response) => response.end(chunk(text, { usage }));
  await using project = await projectFolder();
  const account = await running.account("100");
  const { outcome, events } = ran(await running.run({ account, prompt: "go", folder: project.path }));
  expect(outcome).toMatchObject({ ending: "model_failed", text });
  expect(events.find(({ type }) => type === "step-cost")).toMatchObject({
    outputTokens: Math.ceil(text.length / 4),
  });
});

it("a model that goes on beyond the limit that it was given is stopped, and what it said beyond is little", async () => {
  answer = (response) => {
    const timer = setInterval(() => response.write(chunk("word ".repeat(100))), 1);
    response.on("close", () => clearInterval(timer));
    setTimeout(() => response.end(), 3000);
  };
  await using project = await projectFolder();
  const account = await running.account("1");
  const { outcome } = ran(await running.run({ account, prompt: "go", folder: project.path }));
  expect(outcome).toMatchObject({ ending: "refused", code: "upstream_failed" });
  expect(outcome.message).toContain("beyond the limit");
  const { owed, held } = await running.balanceOf(account);
  expect([owed < credits("0.5"), held]).toEqual([true, 0n]);
});

it("who cancels before the first word pays for the prompt, where its provider has begun", async () => {
  const cancelled = async (begins: boolean) => {
    const cancel = new AbortController();
    let left: Promise<void> | undefined;
    answer = (response) => {
      left = new Promise((resolve) => response.on("close", resolve));
      cancel.abort();
      if (begins) setTimeout(() => response.flushHeaders(), 50);
    };
    await using project = await projectFolder();
    const account = await running.account("100");
    const patience = { totalMs: 60_000, firstChunkMs: begins ? 60_000 : 2000, chunkMs: 60_000 };
    const asked = { account, prompt: "word ".repeat(4000), folder: project.path, signal: cancel.signal };
    const { outcome } = ran(await running.run({ ...asked, patience }));
    await left;
    expect(outcome.ending).toBe("cancelled");
    expect((await running.balanceOf(account)).available).toBe(credits("100") - outcome.cost);
    return outcome.cost;
  };
  const prompt = credits("0.75");
  expect(await cancelled(true)).toBeGreaterThan(prompt);
  expect(await cancelled(false)).toBe(0n);
});
