import { eventStream, refusalBody, type ScriptedServer, startScriptedServer } from "@bursar/client/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { bursar } from "../testing/bursar.ts";

let server: ScriptedServer;

const sse = (value: object) => `data: ${JSON.stringify(value)}\n\n`;
const ANSWER = [
  sse({ choices: [{ index: 0, delta: { content: "A treas" } }] }),
  sse({ choices: [{ index: 0, delta: { content: "urer." }, finish_reason: "stop" }] }),
  sse({ choices: [], usage: { prompt_tokens: 9, completion_tokens: 1200 } }),
  "data: [DONE]\n\n",
];

const model = (id: string, outputPerMillion: string) => ({ id, outputPerMillion });

beforeEach(async () => {
  server = await startScriptedServer();
  const data = [model("embedding", "0"), model("large", "10000"), model("small", "600")];
  server.on("GET /v1/models", { status: 200, body: { data } });
  server.on("POST /v1/chat/completions", eventStream(...ANSWER));
  const body = { charged: "0.5", entries: [{ availableAfter: "1234.5" }] };
  server.on("GET /v1/receipts/req_chat", { status: 200, body });
});

afterEach(() => server.close());

const chat = (args: readonly string[], stdin = "") =>
  bursar(["chat", ...args], { stdin, environment: { BURSAR_URL: server.url, BURSAR_API_KEY: "k" } });

const lastBody = () => server.requests.findLast((request) => request.path === "/v1/chat/completions")?.body;

test("the answer goes to stdout, and its cost to stderr", async () => {
  const { code, stdout, stderr } = await chat(["What is a bursar?"]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: "A treasurer.\n" });
  expect(stderr).toBe("0.5 credits for 9 + 1,200 tokens of small, 1,234.5 left · req_chat\n");
});

test("the cheapest model that writes is the default", async () => {
  await chat(["hi"]);
  expect(lastBody()).toMatchObject({ model: "small", messages: [{ role: "user", content: "hi" }] });
});

test("options reach the model", async () => {
  await chat(["hi", "--model", "large", "--system", "Be brief.", "--max-output-tokens", "5"]);
  expect(lastBody()).toMatchObject({
    model: "large",
    max_completion_tokens: 5,
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: "hi" },
    ],
  });
});

test("what is piped in is the message", async () => {
  const { code } = await chat(["--model", "small"], "a commit\nanother\n");
  expect(code).toBe(0);
  expect(lastBody()).toMatchObject({ messages: [{ role: "user", content: "a commit\nanother\n" }] });
});

test("no message at all is a usage error, with an example", async () => {
  const { code, stderr } = await chat([]);
  expect(code).toBe(2);
  expect(stderr).toContain('bursar chat "What is a bursar?"');
});

test("--json is one document with text, usage and cost", async () => {
  const { stdout, stderr } = await chat(["hi", "--json"]);
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toEqual({
    text: "A treasurer.",
    model: "small",
    finishReason: "stop",
    usage: { inputTokens: 9, cachedInputTokens: 0, outputTokens: 1200 },
    cost: "0.5",
    available: "1234.5",
    requestId: "req_chat",
  });
});

test("too few credits are told like everywhere", async () => {
  const body = refusalBody("insufficient_credits", { type: "insufficient_credits" });
  server.on("POST /v1/chat/completions", { status: 402, body });
  const { code, stderr } = await chat(["hi"]);
  expect(code).toBe(1);
  expect(stderr).toContain("bursar grant");
});
