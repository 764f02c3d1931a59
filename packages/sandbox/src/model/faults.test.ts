import OpenAI, {
  APIConnectionError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  RateLimitError,
} from "openai";
import { expect, test } from "vitest";
import { ask, payloads, post, useSandboxModel } from "./testing.ts";

const used = await useSandboxModel();

function whole(content: string) {
  return used.client.chat.completions.create(ask(content));
}

async function streamText(content: string): Promise<string> {
  const body = { ...ask(content), stream: true, stream_options: { include_usage: true } };
  return (await post(`${used.model.url}/chat/completions`, body)).text();
}

/** What arrived before the line dropped. */
async function streamUntilError(content: string): Promise<string> {
  const response = await post(`${used.model.url}/chat/completions`, { ...ask(content), stream: true });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) text += part.value;
  } catch {
    return text;
  }
  throw new Error("The stream ended well.");
}

test.each([
  ["status=400", BadRequestError],
  ["status=401", AuthenticationError],
  ["status=429 retry_after=1", RateLimitError],
  ["status=500", InternalServerError],
  ["status=529", InternalServerError],
])("%s becomes the official client's own error", async (directive, errorClass) => {
  await expect(whole(`[[sandbox: ${directive}]]`)).rejects.toBeInstanceOf(errorClass);
});

test("retry_after is a header, and code and message can be chosen", async () => {
  const directive = '[[sandbox: status=429 retry_after=7 code=insufficient_quota message="No money left"]]';
  const response = await post(`${used.model.url}/chat/completions`, ask(directive));
  expect(response.headers.get("retry-after")).toBe("7");
  expect(await response.json()).toEqual({
    error: { message: "No money left", type: "insufficient_quota", param: null, code: "insufficient_quota" },
  });
});

test("the next two requests fail and then it works: the official client's retries get through", async () => {
  used.model.faults.add({ directive: "status=500 retry_after=0", times: 2 });
  const client = new OpenAI({ baseURL: used.model.url, apiKey: "k", maxRetries: 2 });
  await expect(client.chat.completions.create(ask("Hello"))).resolves.toMatchObject({
    object: "chat.completion",
  });
  const entries = used.model.requests.list();
  expect(entries.map((entry) => entry.status)).toEqual([500, 500, 200]);
  expect(entries.map((entry) => entry.headers["x-stainless-retry-count"])).toEqual(["0", "1", "2"]);
});

test("faults over HTTP: added, listed, used up, cleared, and refused when they make no sense", async () => {
  const url = new URL("/sandbox/faults", used.model.url).href;
  const added = await post(url, { directive: "status=503", times: 2, after: 1, model: "sandbox-large" });
  expect(await added.json()).toMatchObject({ faults: [{ directive: "status=503", times: 2, after: 1 }] });
  await whole("not this model");
  const large = () => used.client.chat.completions.create(ask("Hi", { model: "sandbox-large" }));
  await large();
  await expect(large()).rejects.toMatchObject({ status: 503 });
  expect(await (await fetch(url)).json()).toMatchObject({ faults: [{ times: 1, after: 0 }] });
  expect(await (await fetch(url, { method: "DELETE" })).json()).toEqual({ faults: [] });
  await large();
  expect((await post(url, { directive: "statsu=1" })).status).toBe(400);
  expect((await post(url, { directive: "status=500", times: 0 })).status).toBe(400);
});

test("a fault wins over a directive", async () => {
  used.model.faults.add({ directive: "tokens=3" });
  expect((await whole("[[sandbox: tokens=9]]")).usage?.completion_tokens).toBe(3);
});

test("cut_after drops the line after exactly that many tokens", async () => {
  for (const tokens of [0, 1, 5, 40]) {
    const text = await streamUntilError(`[[sandbox: tokens=60 cut_after=${tokens}]]`);
    expect(payloads(text)).toHaveLength(1 + tokens);
    const entry = used.model.requests.list().at(-1);
    expect(entry).toMatchObject({ outcome: "cut", tokensSent: tokens, outputTokens: tokens });
  }
});

test("cut_after in a whole answer breaks off half the body", async () => {
  await expect(whole("[[sandbox: cut_after=1]]")).rejects.toThrow();
});

test("reset drops the line before a byte is sent", async () => {
  await expect(whole("[[sandbox: reset]]")).rejects.toBeInstanceOf(APIConnectionError);
  expect(used.model.requests.list()[0]).toMatchObject({ outcome: "cut", status: null });
});

test.each([true, false])(
  "hang_after says nothing more until the client gives up (stream: %s)",
  async (stream) => {
    const leaving = new AbortController();
    const body = { ...ask("[[sandbox: hang_after=2]]"), stream };
    const init = { signal: leaving.signal };
    const answer = post(`${used.model.url}/chat/completions`, body, init).then((response) => response.text());
    const told = stream ? 2 : 0;
    await used.model.requests.waitFor(({ tokensSent }) => tokensSent === told);
    setTimeout(() => leaving.abort(), 50);
    await expect(answer).rejects.toThrow("aborted");
    const entry = await used.model.requests.waitFor((entry) => entry.outcome === "client_gone");
    expect(entry.tokensSent).toBe(told);
  },
);

test("malformed_after puts a line of garbage between good ones", async () => {
  const events = payloads(await streamText("[[sandbox: tokens=3 malformed_after=2]]"));
  expect(() => JSON.parse(events[3] ?? "")).toThrow();
  expect(JSON.parse(events[4] ?? "")).toMatchObject({ object: "chat.completion.chunk" });
  expect(events.at(-1)).toBe("[DONE]");
});

test("error_after ends the stream with an error event and no [DONE]", async () => {
  const events = payloads(await streamText("[[sandbox: tokens=9 error_after=2]]"));
  expect(events).toHaveLength(1 + 2 + 1);
  expect(JSON.parse(events.at(-1) ?? "")).toMatchObject({ error: { type: "server_error" } });
});

test("no_usage and no_done leave out what was asked for", async () => {
  const events = payloads(await streamText("[[sandbox: tokens=1 no_usage no_done]]"));
  expect(events).toHaveLength(3);
  expect(JSON.parse(events[2] ?? "")).toMatchObject({ choices: [{ finish_reason: "stop" }] });
  expect(await whole("[[sandbox: no_usage]]")).not.toHaveProperty("usage");
});

test("usage can lie, and the log keeps the truth", async () => {
  const { usage } = await whole("[[sandbox: tokens=10 usage_input=1 usage_output=100000]]");
  expect(usage).toMatchObject({ prompt_tokens: 1, completion_tokens: 100_000, total_tokens: 100_001 });
  expect(used.model.requests.list()[0]).toMatchObject({ outputTokens: 10 });
});

test("empty answers with nothing, and finish chooses the reason", async () => {
  const { choices, usage } = await whole("[[sandbox: empty finish=content_filter]]");
  expect(choices[0]).toMatchObject({ message: { content: "" }, finish_reason: "content_filter" });
  expect(usage?.completion_tokens).toBe(0);
});

test("delay holds the answer back, and a client that leaves meanwhile is noticed", async () => {
  const startedAt = performance.now();
  await whole("[[sandbox: delay=80ms]]");
  expect(performance.now() - startedAt).toBeGreaterThan(75);
  const leaving = new AbortController();
  used.model.requests.clear();
  const body = ask("[[sandbox: delay=30s]]");
  const answer = used.client.chat.completions.create(body, { signal: leaving.signal });
  const left = expect(answer).rejects.toThrow();
  await used.model.requests.waitFor(({ outcome }) => outcome === "open");
  leaving.abort();
  await left;
  const entry = await used.model.requests.waitFor((entry) => entry.outcome === "client_gone");
  expect(entry).toMatchObject({ status: null, outputTokens: 0 });
});
