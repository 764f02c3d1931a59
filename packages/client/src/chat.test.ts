import { afterEach, beforeEach, expect, test } from "vitest";
import type { ChatPart } from "./chat.ts";
import { type Client, createClient } from "./client.ts";
import { BursarError } from "./errors.ts";
import {
  eventStream,
  refusalBody,
  type ScriptedServer,
  startScriptedServer,
} from "./testing/scripted-server.ts";

let server: ScriptedServer;
let client: Client;

beforeEach(async () => {
  server = await startScriptedServer();
  client = createClient({ url: server.url, key: "k", retry: { firstDelayMilliseconds: 1 } });
});

afterEach(() => server.close());

const ROUTE = "POST /v1/chat/completions";
const REQUEST = { model: "m", messages: [{ role: "user", content: "hi" }] } as const;

const sse = (value: object) => `data: ${JSON.stringify(value)}\n\n`;
const text = (content: string) => sse({ choices: [{ index: 0, delta: { content }, finish_reason: null }] });
const FINISH = sse({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] });
const USAGE = sse({
  choices: [],
  usage: { prompt_tokens: 9, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 4 } },
  bursar: { requestId: "req_chat", cost: "0.001", remaining: "9.999" },
});
const DONE = "data: [DONE]\n\n";

async function partsOf(parts: AsyncIterable<ChatPart>): Promise<ChatPart[]> {
  const all: ChatPart[] = [];
  for await (const part of parts) all.push(part);
  return all;
}

test("streams the text as it comes, and ends with usage and cost", async () => {
  server.on(ROUTE, eventStream(text("Hel"), text("lo"), FINISH, USAGE, DONE));
  expect(await partsOf(client.chat(REQUEST))).toEqual([
    { kind: "text", text: "Hel" },
    { kind: "text", text: "lo" },
    {
      kind: "end",
      finishReason: "stop",
      usage: { inputTokens: 9, cachedInputTokens: 4, outputTokens: 2 },
      cost: "0.001",
      available: "9.999",
      requestId: "req_chat",
    },
  ]);
});

test("an answer that ran out of credits says so", async () => {
  const cut = sse({ choices: [{ index: 0, delta: {}, finish_reason: "length" }] });
  const facts = { requestId: "req_chat", cost: "1", pending: true, reason: "insufficient_credits" };
  server.on(ROUTE, eventStream(text("Hel"), cut, sse({ choices: [], bursar: facts }), DONE));
  expect((await partsOf(client.chat(REQUEST))).at(-1)).toMatchObject({
    finishReason: "insufficient_credits",
    cost: "1",
    available: null,
  });
});

test("asks for a stream with usage, and passes other fields through", async () => {
  server.on(ROUTE, eventStream(DONE));
  await partsOf(client.chat({ ...REQUEST, temperature: 0 }));
  expect(server.requests[0]?.body).toMatchObject({
    stream: true,
    stream_options: { include_usage: true },
    temperature: 0,
  });
});

test("a refusal is thrown before the first part", async () => {
  server.on(ROUTE, { status: 402, body: refusalBody("insufficient_credits", { missing: "3" }) });
  await expect(partsOf(client.chat(REQUEST))).rejects.toMatchObject({ status: 402, missing: "3" });
});

test("an error midway is thrown after the parts before it", async () => {
  server.on(ROUTE, eventStream(text("Hel"), sse(refusalBody("upstream_failed"))));
  const parts = client.chat(REQUEST);
  expect((await parts.next()).value).toEqual({ kind: "text", text: "Hel" });
  const error = await parts.next().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(BursarError);
  expect(error).toMatchObject({ code: "upstream_failed" });
});

test("a stream that breaks off is not taken for an answer", async () => {
  server.on(ROUTE, eventStream(text("Hel")));
  await expect(partsOf(client.chat(REQUEST))).rejects.toMatchObject({ reason: "connection_lost" });
});

test("a connection that breaks midway is not asked again: it may have cost something", async () => {
  server.on(ROUTE, (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(text("Hel"), () => response.destroy());
  });
  await expect(partsOf(client.chat(REQUEST))).rejects.toMatchObject({ reason: "connection_lost" });
  expect(server.requests).toHaveLength(1);
});

test("silence midway is a timeout, however long the answer took before", async () => {
  server.on(ROUTE, async (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (let sent = 0; sent < 6; sent++) {
      response.write(text("x"));
      await new Promise((resolve) => setTimeout(resolve, 120));
    }
  });
  const got: string[] = [];
  const reading = (async () => {
    for await (const part of client.chat(REQUEST, { timeoutMilliseconds: 500 })) got.push(part.kind);
  })();
  await expect(reading).rejects.toMatchObject({ reason: "timeout" });
  expect(got).toHaveLength(6);
});

test("leaving the loop hangs up", async () => {
  const { promise: hungUp, resolve } = Promise.withResolvers<void>();
  server.on(ROUTE, (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(text("x"));
    response.on("close", resolve);
  });
  for await (const part of client.chat(REQUEST)) if (part.kind === "text") break;
  await hungUp;
});

test("a signal ends it with its own reason", async () => {
  const stop = new AbortController();
  server.on(ROUTE, (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(text("x"));
  });
  const parts = client.chat(REQUEST, { signal: stop.signal });
  await parts.next();
  stop.abort("enough");
  await expect(parts.next()).rejects.toBe("enough");
});
