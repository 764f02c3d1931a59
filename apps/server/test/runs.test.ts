/** Budgets for runs, over HTTP: through holds and through the gateway. */
import { startSandboxModel } from "@bursar/sandbox/model";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Running, startRunning } from "./running.ts";

let running: Running;
let model: Awaited<ReturnType<typeof startSandboxModel>>;
beforeAll(async () => {
  model = await startSandboxModel();
  running = await startRunning(
    undefined,
    0,
    {},
    {
      upstreams: [{ name: "box", url: model.url, models: ["sandbox-*"] }],
    },
  );
  const book = { models: { "sandbox-small": { inputPerMillion: "100", outputPerMillion: "500" } } };
  await running.engine.prices.put({ body: book, by: "test" });
});
afterAll(async () => {
  await running.gateway.close();
  await running.close();
  await model.close();
});

type Account = Awaited<ReturnType<Running["account"]>>;

const start = async (account: Account, id: string, budget = "10", terms: object = {}) =>
  account.post("/v1/runs", { id, budget, ...terms });
const show = async (account: Account, id: string) => (await account.get(`/v1/runs/${id}`)).body;
const end = (account: Account, id: string) => running.call(account.key, "DELETE", `/v1/runs/${id}`);

describe("a run", () => {
  it("sets its budget aside, and tells what is spent, held and left", async () => {
    const account = await running.account("100");
    const started = await start(account, "night");
    expect([started.status, started.body]).toEqual([
      201,
      expect.objectContaining({ holdId: "run:night", state: "open", budget: "10", spent: "0", left: "10" }),
    ]);
    expect((await account.get("/v1/balance")).body).toMatchObject({ available: "90", held: "10" });
    await account.post("/v1/holds", { id: "a", amount: "4", parentId: "run:night" });
    await account.post("/v1/holds", { id: "b", amount: "1", parentId: "a" });
    await account.post("/v1/holds", { id: "c", amount: "3", parentId: "run:night" });
    await account.post("/v1/holds/c/settle", { amount: "2.5" });
    const run = await show(account, "night");
    expect(run).toMatchObject({ spent: "2.5", held: "4", left: "3.5", children: 2 });
    expect(run.holds.map(({ id }: { id: string }) => id).toSorted()).toEqual(["a", "b"]);
    const over = await account.post("/v1/holds", { id: "d", amount: "3.6", parentId: "run:night" });
    expect([over.status, over.body.error.code]).toEqual([402, "parent_exhausted"]);
    await account.post("/v1/holds/run:night/extend", { amount: "5" });
    expect(await show(account, "night")).toMatchObject({ budget: "15", left: "8.5" });
  });

  it("ends at once with everything below it, at the cost last reported, and gives the rest back", async () => {
    const account = await running.account("100");
    await start(account, "revoked");
    await account.post("/v1/holds", { id: "working", amount: "4", parentId: "run:revoked" });
    await account.post("/v1/holds/working/extend", { reported: "1.5" });
    const ended = await end(account, "revoked");
    expect([ended.status, ended.body]).toEqual([
      200,
      expect.objectContaining({
        state: "ended",
        spent: "1.5",
        held: "0",
        left: "0",
        endedBy: `account:${account.keyId}`,
      }),
    ]);
    expect((await end(account, "revoked")).body).toEqual(ended.body);
    expect((await account.get("/v1/balance")).body).toMatchObject({ available: "98.5", held: "0" });
    const late = await account.post("/v1/holds", { id: "late", amount: "1", parentId: "run:revoked" });
    expect([late.status, late.body.error.code]).toEqual([409, "hold_closed"]);
    const settled = await account.post("/v1/holds/working/settle", { amount: "4" });
    expect(settled.body).toMatchObject({ charged: "1.5" });
  });

  it("is started once under its id, belongs to its account, and cannot cost more than there is", async () => {
    const [account, other] = [await running.account("20"), await running.account("20")];
    expect((await start(account, "once")).status).toBe(201);
    expect((await start(account, "once")).status).toBe(200);
    expect((await start(account, "once", "11")).body.error.code).toBe("key_conflict");
    expect((await start(account, "more", "11")).body.error.code).toBe("insufficient_credits");
    expect((await other.get("/v1/runs/once")).body.error.code).toBe("run_unknown");
    expect((await end(other, "once")).body.error.code).toBe("run_unknown");
    expect((await account.get("/v1/runs")).body.runs.map(({ id }: { id: string }) => id)).toEqual(["once"]);
    expect((await other.get("/v1/runs")).body.runs).toEqual([]);
    expect((await start(account, "x".repeat(121))).body.error.param).toBe("id");
    expect((await start(account, "long", "1", { ttlSeconds: 604_801 })).body.error.param).toBe("ttlSeconds");
  });
});

describe("a model's call with x-bursar-run", () => {
  const chat = (account: Account, run: string, terms: object = {}) =>
    running.call(
      account.key,
      "POST",
      "/v1/chat/completions",
      { model: "sandbox-small", messages: [{ role: "user", content: "Hello" }], max_tokens: 50, ...terms },
      { "x-bursar-run": run, "content-type": "application/json" },
    );

  it("is paid from the run's budget, and stops where that ends", async () => {
    const account = await running.account("100");
    await start(account, "models", "0.2");
    const first = await chat(account, "models");
    expect(first.status).toBe(200);
    const run = await show(account, "models");
    expect(run).toMatchObject({ spent: first.headers.get("x-bursar-cost"), held: "0" });
    for (let calls = 0; calls < 20; calls++) {
      const next = await chat(account, "models");
      if (next.status === 402) break;
      expect(next.status).toBe(200);
    }
    const last = await chat(account, "models", { max_tokens: 10_000 });
    expect([last.status, last.body.error?.code]).toEqual([402, "parent_exhausted"]);
    const { spent, left } = await show(account, "models");
    expect(Number(spent)).toBeLessThanOrEqual(0.2);
    expect(Number(left)).toBeGreaterThanOrEqual(0);
    expect(Number((await account.get("/v1/balance")).body.available)).toBe(99.8);
  });

  it("streams no further than the budget, and ends with its run", async () => {
    const account = await running.account("100");
    await start(account, "stream", "0.5");
    const response = await fetch(`${running.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${account.key}`, "x-bursar-run": "stream" },
      body: JSON.stringify({
        model: "sandbox-small",
        stream: true,
        messages: [{ role: "user", content: "[[sandbox: tokens=100000]] go" }],
      }),
    });
    expect(await response.text()).toContain('"finish_reason":"length"');
    const { spent, held } = await show(account, "stream");
    expect(held).toBe("0");
    expect(Number(spent)).toBeGreaterThan(0.4);
    expect(Number(spent)).toBeLessThanOrEqual(0.5);
  });

  it("that streams ends when its run is ended from outside", async () => {
    const account = await running.account("100");
    await start(account, "stopped", "50");
    const response = await fetch(`${running.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${account.key}`, "x-bursar-run": "stopped" },
      body: JSON.stringify({
        model: "sandbox-small",
        stream: true,
        messages: [{ role: "user", content: "[[sandbox: tokens=100000 interval=1ms]] go" }],
      }),
    });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    await reader.read();
    expect((await end(account, "stopped")).body.state).toBe("ended");
    let text = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value;
    expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
    expect(text).toContain('"finish_reason":"length"');
    expect(text.length).toBeLessThan(1_000_000);
    expect((await account.get("/v1/balance")).body.held).toBe("0");
  });

  it("is refused where the run is unknown, somebody else's, or over", async () => {
    const [account, other] = [await running.account("100"), await running.account("100")];
    await start(other, "theirs");
    await start(account, "over");
    await end(account, "over");
    const refusals = await Promise.all(
      ["none", "theirs", "over", "not an id"].map((run) => chat(account, run)),
    );
    expect(refusals.map(({ status, body }) => [status, body.error.code, body.error.param])).toEqual([
      [404, "run_unknown", "x-bursar-run"],
      [404, "run_unknown", "x-bursar-run"],
      [409, "run_ended", "x-bursar-run"],
      [422, "invalid_request", "x-bursar-run"],
    ]);
  });
});
