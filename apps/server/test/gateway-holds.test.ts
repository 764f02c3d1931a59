/** What an account can do to the holds by which the gateway works for it. */
import type { ServerResponse } from "node:http";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startScriptedUpstream } from "../../../packages/gateway/test/scripted-upstream.ts";
import { type Running, startRunning } from "./running.ts";

let running: Running;
let upstream: Awaited<ReturnType<typeof startScriptedUpstream>>;
/** What the upstream is asked and has not answered: it does when a test says so. */
const asked: ServerResponse[] = [];
beforeAll(async () => {
  upstream = await startScriptedUpstream((response) => asked.push(response));
  const upstreams = [{ name: "box", url: upstream.url, models: ["sandbox-*"] }];
  running = await startRunning(undefined, 0, {}, { upstreams });
  const models = { "sandbox-small": { inputPerMillion: "150", outputPerMillion: "600" } };
  await running.engine.prices.put({ body: { models }, by: "test" });
});
afterAll(async () => {
  await running.gateway.close();
  await running.close();
  await upstream.close();
});

type Account = Awaited<ReturnType<Running["account"]>>;

/** A call of about 7.6 credits. */
const PROMPT = "word ".repeat(50_000);
const ask = (account: Account, content: string) =>
  account.post("/v1/chat/completions", { model: "sandbox-small", messages: [{ role: "user", content }] });

const areUnderWay = (calls: number) => expect.poll(() => asked.length).toBe(calls);
function answerAll(usage = { prompt_tokens: 50_000, completion_tokens: 200 }): void {
  const choices = [{ index: 0, message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }];
  for (const response of asked.splice(0)) response.end(JSON.stringify({ choices, usage }));
}

/** Starts the call, and gives its hold: the upstream is asked once that is there. */
async function begun(account: Account) {
  const answer = ask(account, PROMPT);
  await areUnderWay(1);
  const { entries } = (await account.get("/v1/entries")).body;
  const { reference } = (entries as { kind: string; reference: string }[]).find(
    ({ kind }) => kind === "hold",
  )!;
  return { answer, holdId: reference };
}

it("whoever releases the hold of a running call, and spends the credits, owes what the call costs", async () => {
  const account = await running.account("100");
  const { answer, holdId } = await begun(account);
  expect((await account.post(`/v1/holds/${holdId}/release`)).status).toBe(200);
  const all = (await account.get("/v1/balance")).body.available;
  expect((await account.post("/v1/spend", { id: "all", amount: all })).status).toBe(200);
  answerAll();
  const { status, headers } = await answer;
  expect(status).toBe(200);
  const { available, owed } = (await account.get("/v1/balance")).body;
  expect([available, owed]).toEqual(["0", headers.get("x-bursar-cost")]);
  expect(Number(owed)).toBeGreaterThan(7);
});

it("no name that a caller can give stands in the way of what is charged late", async () => {
  const account = await running.account("100");
  const { answer, holdId } = await begun(account);
  for (const end of [".late", ":late"])
    expect((await account.post("/v1/holds", { id: `${holdId}${end}`, amount: "0.000001" })).status).toBe(201);
  expect((await account.post("/v1/holds", { id: `${holdId} late`, amount: "1" })).status).toBe(422);
  expect((await account.post(`/v1/holds/${holdId}/release`)).status).toBe(200);
  answerAll();
  const cost = (await answer).headers.get("x-bursar-cost")!;
  const { available, held } = (await account.get("/v1/balance")).body;
  expect(Number(available) + Number(held)).toBeCloseTo(100 - Number(cost), 6);
});

it("a call that nobody limits holds a part of a key's cap, and leaves the rest to others", async () => {
  const account = await running.account("1000", { capAmount: 80_000_000n });
  const calls = Array.from({ length: 4 }, () => ask(account, "Hi"));
  await areUnderWay(4);
  answerAll({ prompt_tokens: 8, completion_tokens: 50 });
  expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
});

it("an administrator's key that has ended grants nothing, also not by a batch", async () => {
  const account = await running.account("0");
  const now = running.clock.time;
  const at = (seconds: number) => (now + seconds * 1_000_000) as typeof now;
  const made = await running.engine.keys.create({ accountId: null, by: "test", expiresAt: at(60) });
  if (made.kind !== "created") throw new Error("no key");
  const grant = (id: string) =>
    running.call(made.key, "POST", "/v1/batch", {
      accountId: account.id,
      operations: [{ op: "grant", id, amount: "10", source: "admin" }],
    });
  running.clock.time = at(59);
  expect((await grant("in-time")).status).toBe(200);
  running.clock.time = at(62);
  expect((await grant("late")).body.error.code).toBe("key_expired");
  expect((await account.get("/v1/balance")).body.available).toBe("10");
});
