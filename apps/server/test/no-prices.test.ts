/** A live server that nobody has told any prices yet. */
import type { Instant } from "@bursar/contract/instant";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { peopleOf, type Signed } from "./people-of.ts";
import { type Running, startRunning } from "./running.ts";

let running: Running;
let account: Awaited<ReturnType<Running["account"]>>;
let person: Signed;
beforeAll(async () => {
  running = await startRunning();
  account = await running.account("7");
  person = await peopleOf(running)("early");
  running.clock.time = (running.clock.time - 60_000_000) as Instant;
});
afterAll(() => running.close());

describe("before the first price book is in force", () => {
  it("what needs a price is a no that says what is missing, by each API", async () => {
    const chat = { model: "small", messages: [{ role: "user", content: "Hi" }] };
    for (const answer of [
      await account.post("/v1/spend", { id: "a", amount: "1" }),
      await account.post("/v1/holds", { id: "b", amount: "1" }),
      await account.post("/v1/check", { amount: "1" }),
      await account.post("/v1/batch", { operations: [{ op: "spend", id: "c", amount: "1" }] }),
      await account.get("/v1/models"),
      await account.post("/v1/chat/completions", chat),
    ]) {
      expect([answer.status, answer.body.error.code]).toEqual([503, "unavailable"]);
      expect(answer.body.error.message).toContain("There are no prices yet");
    }
    const deduct = await person.post("/api/credits/calculate", { modelId: "small", tokens: 10 });
    expect(deduct).toMatchObject({
      status: 503,
      body: { message: expect.stringContaining("no prices yet") },
    });
  });

  it("what is kept of an account is exported, and auto top-up can be looked at and switched off", async () => {
    const person = await peopleOf(running)("leaving");
    const { status, body } = await person.get("/v1/export");
    expect([status, body.person.username, body.topUpPolicy.enabled]).toEqual([200, "leaving", false]);
    expect((await person.get("/v1/topup-policy")).status).toBe(200);
    expect((await person.put("/v1/topup-policy", { enabled: false })).status).toBe(200);
  });

  it("balances are read, and the server is not ready", async () => {
    expect((await account.get("/v1/balance")).body.available).toBe("7");
    const { status, body } = await running.call(null, "GET", "/ready");
    expect([status, body.checks.prices]).toEqual([503, false]);
  });
});
