import type OpenAI from "openai";
import { expect, test } from "vitest";
import { startSandboxModel } from "../../model.ts";
import { ask, payloads, post, useSandboxModel } from "../testing.ts";

const used = await useSandboxModel();

function chat(content: string, more: object = {}) {
  return post(`${used.model.url}/chat/completions`, { ...ask(content), stream: true, ...more });
}

test("the bytes are OpenAI's: role, content, finish_reason, usage without choices, [DONE]", async () => {
  const response = await chat('[[sandbox: say="Hi \\"you\\"!"]]', {
    stream_options: { include_usage: true },
  });
  expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  const text = await response.text();
  expect(text.endsWith("\n\ndata: [DONE]\n\n")).toBe(true);
  const chunks = payloads(text)
    .slice(0, -1)
    .map((json): OpenAI.ChatCompletionChunk => JSON.parse(json));
  const { id, created } = chunks[0] ?? {};
  const chunk = (delta: object, finish_reason: string | null = null) => ({
    id,
    object: "chat.completion.chunk",
    created,
    model: "sandbox-small",
    service_tier: "default",
    system_fingerprint: "fp_bursarsandbox",
    choices: [{ index: 0, delta, logprobs: null, finish_reason }],
    usage: null,
  });
  expect(chunks.slice(0, -1)).toEqual([
    chunk({ role: "assistant", content: "", refusal: null }),
    ...["Hi", ' "', "you", '"', "!"].map((content) => chunk({ content })),
    chunk({}, "stop"),
  ]);
  expect(chunks.at(-1)).toMatchObject({ id, choices: [], usage: { completion_tokens: 5 } });
});

test("without include_usage no chunk mentions usage", async () => {
  const text = await (await chat("[[sandbox: tokens=3]]")).text();
  expect(text).not.toContain("usage");
  expect(payloads(text)).toHaveLength(1 + 3 + 1 + 1);
});

test("a stream and a whole answer say and count the same", async () => {
  const body = ask("Same either way?", { model: "sandbox-large" });
  const whole = await used.client.chat.completions.create(body);
  const stream = await used.client.chat.completions.create({
    ...body,
    stream: true,
    stream_options: { include_usage: true },
  });
  let content = "";
  let usage: unknown;
  for await (const chunk of stream) {
    content += chunk.choices[0]?.delta.content ?? "";
    usage = chunk.usage ?? usage;
  }
  expect(content).toBe(whole.choices[0]?.message.content);
  expect(usage).toEqual(whole.usage);
});

test("several choices take turns and each finishes", async () => {
  const text = await (await chat("[[sandbox: tokens=2]]", { n: 2 })).text();
  const chunks = payloads(text)
    .slice(0, -1)
    .map((json): OpenAI.ChatCompletionChunk => JSON.parse(json));
  const order = chunks.map((chunk) => chunk.choices[0]?.index);
  expect(order).toEqual([0, 1, 0, 1, 0, 1, 0, 1]);
});

test("interval paces the tokens and lets the first one go at once", async () => {
  const paced = async (directive: string) => {
    const messages = ask(`[[sandbox: ${directive}]]`);
    return used.client.chat.completions.create({ ...messages, stream: true });
  };
  const startedAt = performance.now();
  let count = 0;
  for await (const chunk of await paced("tokens=5 interval=40ms"))
    if (chunk.choices[0]?.delta.content) count++;
  expect(count).toBe(5);
  expect(performance.now() - startedAt).toBeGreaterThan(4 * 40 - 5);
  // Whoever gets it has not waited for the second one.
  for await (const chunk of await paced("tokens=2 interval=60s")) if (chunk.choices[0]?.delta.content) return;
  expect.unreachable();
});

test("a client that leaves stops the generation at once, and the log says so", async () => {
  const stream = await used.client.chat.completions.create({
    ...ask("[[sandbox: tokens=1000 interval=5ms]]"),
    stream: true,
  });
  for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
  const entry = await used.model.requests.waitFor((entry) => entry.outcome === "client_gone");
  const sent = entry.tokensSent;
  expect(sent).toBeLessThan(100);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(entry.tokensSent).toBe(sent);
});

test("a client that does not read stops the generation until it reads on", async () => {
  const response = await chat("[[sandbox: tokens=32000]]");
  await new Promise((resolve) => setTimeout(resolve, 300));
  const entry = used.model.requests.list()[0];
  expect(entry?.outcome).toBe("open");
  expect(entry?.tokensSent).toBeLessThan(32_000);
  const text = await response.text();
  expect(payloads(text)).toHaveLength(32_000 + 3);
});

test("closing the server ends open streams and pending waits, and does not blame the client", async () => {
  const model = await startSandboxModel();
  const url = `${model.url}/chat/completions`;
  const stream = await post(url, { ...ask("[[sandbox: hang_after=1]]"), stream: true });
  const waiting = post(url, ask("[[sandbox: delay=60s]]")).catch((error: unknown) => error);
  await model.requests.waitFor((entry) => entry.number === 2);
  await model.close();
  await expect(stream.text()).rejects.toThrow();
  expect(await waiting).toBeInstanceOf(Error);
  expect(model.requests.list().map((entry) => entry.outcome)).toEqual(["server_closed", "server_closed"]);
});
