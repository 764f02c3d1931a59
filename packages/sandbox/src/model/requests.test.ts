import { expect, test } from "vitest";
import { startSandboxModel } from "../model.ts";
import { createRequestLog } from "./requests.ts";
import { ask, post, useSandboxModel } from "./testing.ts";

const used = await useSandboxModel();

test("the log shows what was sent, and never a whole key", async () => {
  await used.client.chat.completions.create(ask("Hello", { max_tokens: 3 }), {
    headers: { "x-trace": "abc" },
  });
  const entry = used.model.requests.list()[0];
  expect(entry).toMatchObject({
    method: "POST",
    path: "/v1/chat/completions",
    model: "sandbox-small",
    stream: false,
    status: 200,
    promptTokens: 7,
    outputTokens: 3,
    body: { max_tokens: 3 },
    headers: { "x-trace": "abc", authorization: "Bearer sk-t***7890" },
  });
  await used.model.requests.waitFor((entry) => entry.outcome === "answered");
});

test("the log is read and cleared over HTTP, and asking for it leaves no trace", async () => {
  const url = new URL("/sandbox/requests", used.model.url).href;
  await used.client.models.list();
  expect(await (await fetch(url)).json()).toMatchObject({ requests: [{ path: "/v1/models" }] });
  expect(await (await fetch(url, { method: "DELETE" })).json()).toEqual({ requests: [] });
  expect(used.model.requests.list()).toEqual([]);
});

test("waitFor gives up in time", async () => {
  await expect(used.model.requests.waitFor(() => false, 20)).rejects.toThrow(
    "No request fitted within 20 ms.",
  );
});

test("the log keeps the last thousand requests", () => {
  const log = createRequestLog();
  for (let opened = 0; opened < 5010; opened += 1) {
    log.open({ requestId: `req_${opened}`, method: "GET", path: "/", headers: {} });
  }
  expect(log.list()).toHaveLength(1000);
  expect(log.list()[0]?.number).toBe(4011);
  expect(log.list().at(-1)?.number).toBe(5010);
});

test("with an apiKey a wrong key and a missing key are 401, for the control endpoints too", async () => {
  const model = await startSandboxModel({ apiKey: "sk-right" });
  const send = (headers: Record<string, string>) =>
    post(`${model.url}/chat/completions`, ask("Hi"), { headers });
  expect((await send({ authorization: "Bearer sk-right" })).status).toBe(200);
  const wrong = await send({ authorization: "Bearer sk-wrong-123456" });
  expect(wrong.status).toBe(401);
  expect(await wrong.json()).toMatchObject({
    error: { message: "Incorrect API key provided: sk-w***3456.", code: "invalid_api_key" },
  });
  expect((await send({})).status).toBe(401);
  expect((await fetch(new URL("/sandbox/requests", model.url))).status).toBe(401);
  await model.close();
});
