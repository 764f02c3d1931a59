/** The credit-check API over real HTTP, with the sandbox's model and prices. */
import type { AccountId, HoldId } from "@bursar/contract/ids";
import { addSeconds } from "@bursar/contract/instant";
import { sweep } from "@bursar/engine/ledger/sweep";
import type { Upstream } from "@bursar/gateway/settings";
import { startSandboxModel } from "@bursar/sandbox/model";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { SANDBOX_PRICES } from "../src/sandbox/prices.ts";
import { type Running, startRunning } from "./running.ts";

let running: Running;
/** The same, with little patience for models: the other chats are about other things, however long they take. */
let hurried: Running;
let model: Awaited<ReturnType<typeof startSandboxModel>>;
let upstreams: Upstream[];
let adminToken: string;
let supervisorToken: string;
let people = 0;
let token: string;
let userId: string;
let username: string;
const password = "correct horse 9";
const NOVA = "amazon.nova-micro-v1:0";

const call = (as: string, method: string, path: string, body?: object, headers = {}) =>
  running.call(as, method, path, body, headers);
const get = (path: string) => call(token, "GET", path);
const post = (path: string, body: object, headers = {}) => call(token, "POST", path, body, headers);
const allocate = (body: object, headers = {}) =>
  call(adminToken, "POST", "/api/credits/allocate", body, headers);
const total = async () => (await get("/api/credits/total-balance")).body.totalCredits as number;

async function person(name: string, role: "user" | "admin" | "supervisor") {
  const made = await running.identity.people.create({
    username: name,
    role,
    password,
    email: `${name}@example.org`,
  });
  if (made.kind !== "created") throw new Error("not created");
  const signedIn = await running.call(null, "POST", "/api/auth/login", { username: name, password });
  if (signedIn.status !== 200) throw new Error(`${name} could not log in: ${JSON.stringify(signedIn.body)}`);
  return { id: made.person.id, token: signedIn.body.accessToken as string };
}

beforeAll(async () => {
  model = await startSandboxModel();
  upstreams = [{ name: "sandbox", url: model.url, models: ["sandbox-*", "amazon.*", "meta.*"] }];
  running = await startRunning(undefined, 0, {}, { upstreams });
  hurried = await startRunning(running.databaseUrl, 0, {}, { upstreams, chatSeconds: 2 });
  for (const { engine } of [hurried, running]) await engine.prices.put({ body: SANDBOX_PRICES, by: "test" });
  adminToken = (await person("root", "admin")).token;
  supervisorToken = (await person("sue", "supervisor")).token;
});
afterAll(async () => {
  await hurried.close();
  await running.close();
  await model.close();
});
/** Somebody new with 100 credits. */
beforeEach(async () => {
  username = `person${++people}`;
  ({ id: userId, token } = await person(username, "user"));
  await allocate({ userId, credits: 100 });
});

describe("allocations", () => {
  it("answer 201 with their terms, and the same again 200 with the first", async () => {
    const body = { userId: username, credits: 12.5, expiryDays: 7, notes: "welcome" };
    const first = await allocate(body, { "idempotency-key": `once-${people}` });
    expect(first.status).toBe(201);
    expect(first.body).toMatchObject({
      userId,
      totalCredits: 12.5,
      remainingCredits: 12.5,
      notes: "welcome",
    });
    expect(first.body.expiresAt).toMatch(/^\d{4}-\d\d-\d\dT/);
    // A repetition comes later, and its days would end later too.
    const before = running.clock.time;
    running.clock.time = (before + 1_000_000) as typeof before;
    const again = await allocate(body, { "idempotency-key": `once-${people}` });
    running.clock.time = before;
    expect([again.status, again.body.id, again.body.expiresAt]).toEqual([
      ...[200, first.body.id, first.body.expiresAt],
    ]);
    expect(await total()).toBe(112.5);
    const other = await allocate({ ...body, credits: 13 }, { "idempotency-key": `once-${people}` });
    expect(other.status).toBe(409);
  });

  it("expire after 30 days unless said otherwise", async () => {
    const { activeAllocations } = (await get("/api/credits/balance")).body;
    const [{ expiresAt, allocatedAt }] = activeAllocations;
    expect(Date.parse(expiresAt) - Date.parse(allocatedAt)).toBe(30 * 86_400_000);
  });

  it("make whoever is unknown known, once, by e-mail or name, however many ask at once", async () => {
    const email = `new${people}@example.org`;
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => allocate({ userId: email, credits: 1 })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ body }) => body.userId)).size).toBe(1);
    const found = await call(adminToken, "GET", `/api/credits/balance/${email}`);
    expect(found.body.totalCredits).toBe(20);
    const byEmail = await call(adminToken, "POST", "/api/credits/allocate-by-email", { email, credits: 1 });
    expect(byEmail.body.userId).toBe(answers[0]!.body.userId);
  });

  it.each([
    [{ credits: 1 }, "userId"],
    [{ userId: "a b c", credits: 1 }, "userId"],
    [{ userId: "somebody", credits: 0 }, "credits"],
    [{ userId: "somebody", credits: "5" }, "credits"],
    [{ userId: "somebody", credits: 0.0000001 }, "credits"],
    [{ userId: "somebody", credits: 1, expiryDays: 0 }, "expiryDays"],
    [{ userId: "somebody", credits: 1, expiryDays: 1.5 }, "expiryDays"],
  ])("name what is wrong with %j: %s", async (body, field) => {
    const { status, body: answer } = await allocate(body);
    expect([status, answer.message.split(":")[0]]).toEqual([400, field]);
  });

  it("are set, adjusted and removed with their reason in the ledger", async () => {
    const at = (method: string, path: string, body: object) =>
      call(adminToken, method, `/api/credits/${path}`, { userId: username, ...body });
    expect((await at("POST", "set", { credits: 40, notes: "corrected" })).body.totalCredits).toBe(40);
    expect((await at("PUT", "adjust", { credits: -15, notes: "too much" })).body.totalCredits).toBe(25);
    expect((await at("PUT", "adjust", { credits: 5, notes: "sorry" })).body.totalCredits).toBe(30);
    expect((await at("DELETE", "remove", { credits: 10 })).body.totalCredits).toBe(20);
    expect((await at("DELETE", "remove", { credits: 21 })).status).toBe(402);
    expect((await at("PUT", "adjust", { credits: 5 })).body.message).toBe("notes: must say why");
    expect((await at("DELETE", "remove", { notes: "gone" })).body.totalCredits).toBe(0);
    expect((await at("POST", "set", { credits: 7 })).body.totalCredits).toBe(7);
    const { rows } = await running.engine.pool.query<{ note: string | null }>(
      "select note from entries where account_id = $1",
      [`acct_${userId.slice("user_".length)}`],
    );
    const notes = rows.map(({ note }) => note);
    for (const note of ["corrected", "too much", "sorry", "gone"]) expect(notes).toContain(note);
    const { status } = await call(adminToken, "PUT", "/api/credits/adjust", {
      userId: "nobody9",
      credits: 1,
      notes: "x",
    });
    expect(status).toBe(404);
  });

  it("set what can be spent, also where a debt must be paid first", async () => {
    const session = { sessionId: `debt-${people}`, modelId: NOVA, estimatedTokens: 1000 };
    await post("/api/streaming-sessions/initialize", session);
    await post("/api/streaming-sessions/finalize", { ...session, actualTokens: 2_000_000 });
    const answer = await call(adminToken, "POST", "/api/credits/set", { userId, credits: 30 });
    expect(answer.body).toMatchObject({ changedBy: 50, totalCredits: 30 });
    expect(await total()).toBe(30);
  });

  it("forty balances set at once, more than there are connections: one of them holds, not their mixture", async () => {
    const targets = Array.from({ length: 40 }, (_, index) => 11 * (index + 1));
    const answers = await Promise.all(
      targets.map((credits) => call(adminToken, "POST", "/api/credits/set", { userId, credits })),
    );
    expect(answers.map(({ status }) => status)).toEqual(targets.map(() => 200));
    expect(targets).toContain(await total());
  });

  it("are listed page by page, the latest first", async () => {
    const first = await call(supervisorToken, "GET", "/api/credits/allocations/all?limit=1");
    expect(first.body.allocations).toHaveLength(1);
    const next = `/api/credits/allocations/all?limit=1&cursor=${first.body.nextCursor}`;
    const second = await call(supervisorToken, "GET", next);
    expect(second.body.allocations[0].id).not.toBe(first.body.allocations[0].id);
    expect((await call(supervisorToken, "GET", "/api/credits/allocations/all?cursor=x")).status).toBe(400);
  });
});

describe("credits", () => {
  it("list the allocations with the soonest expiry first", async () => {
    await allocate({ userId, credits: 1, expiryDays: 3 });
    await allocate({ userId, credits: 2, expiryDays: null });
    const { body } = await get("/api/credits/balance");
    expect(body.totalCredits).toBe(103);
    expect(body.activeAllocations.map(({ credits }: { credits: number }) => credits)).toEqual([1, 100, 2]);
    expect(body.activeAllocations[2].expiresAt).toBeNull();
  });

  it("check by either name of the field", async () => {
    const yes = { sufficient: true, hasSufficientCredits: true, credits: 100, requiredCredits: 99.5 };
    expect((await post("/api/credits/check", { credits: 99.5 })).body).toEqual(yes);
    expect((await post("/api/credits/check", { requiredCredits: 99.5 })).body).toEqual(yes);
    const no = { sufficient: false, hasSufficientCredits: false, message: "Insufficient credits" };
    const short = await post("/api/credits/check", { credits: 100.000001 });
    expect([short.status, short.body]).toEqual([200, no]);
  });

  it("are read as a client means them that has added them up in binary fractions", async () => {
    const sum = { credits: 0.1 + 0.2 };
    expect((await post("/api/credits/check", sum)).body.requiredCredits).toBe(0.3);
    expect((await post("/api/credits/deduct", sum)).body).toMatchObject({ credits: 0.3 });
    // The balance and a thousand, as the tester asks.
    await call(adminToken, "POST", "/api/credits/set", { userId, credits: 3479.594135 });
    const more = await post("/api/credits/check", { credits: (await total()) + 1000 });
    expect([more.status, more.body.sufficient]).toEqual([200, false]);
    expect((await post("/api/credits/deduct", { credits: 0.1234567 })).status).toBe(400);
  });

  it.each([0, -1, "5", null, {}, [], true, 1e-7, 1e-9, 1e300])("refuse to check %j", async (credits) => {
    const { status, body } = await post("/api/credits/check", { credits });
    expect([status, typeof body.message]).toEqual([400, "string"]);
  });

  it("cost tokens at the model's price, and unknown models at the default", async () => {
    const cost = async (modelId: string) =>
      (await post("/api/credits/calculate", { modelId, tokens: 1000 })).body.credits;
    expect(await cost(NOVA)).toBe(0.06);
    expect(await cost("nova-lite")).toBe(0.8);
    expect(await cost("meta.llama3-70b-instruct")).toBe(0.35);
    expect(await cost("nobody/knows-this")).toBe(0.5);
    expect((await post("/api/credits/calculate", { modelId: NOVA, tokens: -1 })).status).toBe(400);
  });

  it("are deducted once under an id, and never below zero", async () => {
    const once = await post("/api/credits/deduct", { credits: 30.25, id: `cut-${people}` });
    expect(once.body).toMatchObject({ success: true, credits: 30.25, remainingCredits: 69.75 });
    await post("/api/credits/deduct", { credits: 30.25, id: `cut-${people}` });
    expect(await total()).toBe(69.75);
    const short = await post("/api/credits/deduct", { credits: 70 });
    expect([short.status, short.body.code]).toEqual([402, "INSUFFICIENT_CREDITS"]);
  });

  it("are not deducted under an id that credits come or go by", async () => {
    for (const [path, body] of [
      ["/api/credits/deduct", { credits: 1, id: "dispute:dp_1" }],
      ["/api/usage/record", { modelId: "sandbox-small", tokens: 1, id: "grant_free_2026-12-01" }],
    ] as const)
      expect(await post(path, body)).toMatchObject({
        status: 400,
        body: { message: expect.stringContaining("must not begin with") },
      });
  });

  it("200 checks and deductions at once: never overspent, and every answer fits one order of them", async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        index % 2 === 0
          ? post("/api/credits/check", { credits: 1.5 })
          : post("/api/credits/deduct", { credits: 1.5 }),
      ),
    );
    const deducted = answers.filter(({ body }) => body.success === true);
    expect(deducted).toHaveLength(66);
    expect(await total()).toBe(1);
    const left = deducted.map(({ body }) => body.remainingCredits as number).toSorted((a, b) => b - a);
    expect(left).toEqual(Array.from({ length: 66 }, (_, index) => 100 - 1.5 * (index + 1)));
    const states = new Set([100, ...left]);
    for (const { body } of answers) {
      if (body.sufficient === true) expect(states).toContain(body.credits);
      if (body.code !== undefined) expect(body.availableCredits).toBeLessThan(1.5);
    }
  });
});

describe("streaming sessions", () => {
  const initialize = (sessionId: string, estimatedTokens = 1000) =>
    post("/api/streaming-sessions/initialize", { sessionId, modelId: NOVA, estimatedTokens });

  it("hold a fifth more than the estimate, and finalize bills what was used", async () => {
    const opened = await initialize("s1");
    expect([opened.status, opened.body.allocatedCredits]).toEqual([201, 0.072]);
    expect(await total()).toBe(99.928);
    const ended = await post("/api/streaming-sessions/finalize", {
      sessionId: "s1",
      actualTokens: 500,
      success: true,
    });
    expect(ended.body).toMatchObject({
      actualCredits: 0.03,
      refundedCredits: 0.042,
      remainingCredits: 99.97,
    });
    const again = await post("/api/streaming-sessions/finalize", {
      sessionId: "s1",
      actualTokens: 900,
      success: true,
    });
    expect(again.body.actualCredits).toBe(0.03);
    expect(await total()).toBe(99.97);
  });

  it("are opened once: again while they run answers the same, and after their end nothing is held", async () => {
    expect((await initialize("reused")).status).toBe(201);
    expect((await initialize("reused")).status).toBe(200);
    await post("/api/streaming-sessions/finalize", { sessionId: "reused", actualTokens: 500, success: true });
    const { status, body } = await initialize("reused");
    expect([status, body.code]).toEqual([409, "SESSION_ENDED"]);
  });

  it("give back to the allocation they came from, with its expiry", async () => {
    const before = (await get("/api/credits/balance")).body.activeAllocations;
    await initialize("back");
    await post("/api/streaming-sessions/abort", { sessionId: "back", tokensGenerated: 0 });
    expect((await get("/api/credits/balance")).body.activeAllocations).toEqual(before);
  });

  it("bill an overrun, and an aborted part", async () => {
    await initialize("over", 100);
    const over = { sessionId: "over", actualTokens: 10_000, success: true };
    expect((await post("/api/streaming-sessions/finalize", over)).body.actualCredits).toBe(0.6);
    await initialize("part");
    const part = { sessionId: "part", tokensGenerated: 250 };
    expect((await post("/api/streaming-sessions/abort", part)).body).toMatchObject({
      status: "aborted",
      actualCredits: 0.015,
    });
    expect(await total()).toBe(99.385);
  });

  it("are refused with 402 when the credits are too few", async () => {
    const { status, body } = await initialize("big", 10_000_000);
    expect([status, body.code]).toEqual([402, "INSUFFICIENT_CREDITS"]);
  });

  it("name what is wrong", async () => {
    expect((await initialize("bad id!")).body.message).toMatch(/^sessionId/);
    expect((await initialize("x", 0)).body.message).toMatch(/^estimatedTokens/);
    const finalize = (body: object) => post("/api/streaming-sessions/finalize", body);
    expect((await finalize({ sessionId: "never", actualTokens: 1 })).status).toBe(404);
    expect((await finalize({ sessionId: "never", actualTokens: -1 })).status).toBe(400);
  });

  it("are listed for the right roles, and gone from the list when they end", async () => {
    await initialize("listed");
    const own = await get("/api/streaming-sessions/active");
    expect(own.body.sessions).toMatchObject([
      { sessionId: "listed", userId, modelId: NOVA, status: "active" },
    ]);
    const all = await call(supervisorToken, "GET", "/api/streaming-sessions/active/all");
    expect(all.body.sessions.map(({ userId: id }: { userId: string }) => id)).toContain(userId);
    const byName = await call(supervisorToken, "GET", `/api/streaming-sessions/active/${username}`);
    expect(byName.body.count).toBe(1);
    await post("/api/streaming-sessions/finalize", { sessionId: "listed", actualTokens: 10, success: true });
    expect((await get("/api/streaming-sessions/active")).body.count).toBe(0);
    const recent = (await get("/api/streaming-sessions/recent")).body.sessions;
    expect(recent[0]).toMatchObject({
      sessionId: "listed",
      status: "completed",
      actualTokens: 10,
      actualCredits: 0.0006,
    });
  });

  it("an orphan settles at what it last reported, and who comes back later pays the rest, once", async () => {
    await initialize("orphan");
    await post("/api/streaming-sessions/progress", { sessionId: "orphan", tokensGenerated: 200 });
    const before = running.clock.time;
    running.clock.time = (before + 700_000_000) as typeof before;
    await sweep(running.engine);
    running.clock.time = before;
    expect(await total()).toBe(99.988);
    const late = { sessionId: "orphan", actualTokens: 900, success: true };
    for (let turn = 0; turn < 2; turn += 1) {
      const { body } = await post("/api/streaming-sessions/finalize", late);
      expect(body).toMatchObject({ actualCredits: 0.054, status: "completed", remainingCredits: 99.946 });
    }
    expect(await total()).toBe(99.946);
  });

  it("work that was reported never is billed when its owner comes back after all", async () => {
    await initialize("silent");
    const before = running.clock.time;
    running.clock.time = (before + 700_000_000) as typeof before;
    await sweep(running.engine);
    running.clock.time = before;
    expect(await total()).toBe(100);
    const late = { sessionId: "silent", actualTokens: 1000, success: true };
    expect((await post("/api/streaming-sessions/finalize", late)).body.actualCredits).toBe(0.06);
    await post("/api/streaming-sessions/finalize", late);
    expect(await total()).toBe(99.94);
  });

  it("whoever has spent the credits before they come back owes what the work has cost", async () => {
    await initialize("spent");
    await post("/api/streaming-sessions/progress", { sessionId: "spent", tokensGenerated: 200 });
    const before = running.clock.time;
    running.clock.time = (before + 700_000_000) as typeof before;
    await sweep(running.engine);
    running.clock.time = before;
    await post("/api/credits/deduct", { credits: await total() });
    const late = { sessionId: "spent", actualTokens: 900, success: true };
    for (let turn = 0; turn < 2; turn += 1) {
      const { status, body } = await post("/api/streaming-sessions/finalize", late);
      expect([status, body]).toMatchObject([
        200,
        { actualCredits: 0.054, overrunCredits: 0.042, remainingCredits: 0 },
      ]);
    }
    const { sessions } = (await get("/api/streaming-sessions/recent")).body;
    expect(sessions).toMatchObject([{ sessionId: "spent", status: "completed", actualCredits: 0.054 }]);
    const [newest] = (await get("/v1/entries?limit=1")).body.entries;
    const receipt = await get(`/v1/receipts/${encodeURIComponent(newest.reference)}`);
    expect([receipt.status, receipt.body.charged]).toEqual([200, "0.042"]);
  });

  it("are no holds that somebody has named like one", async () => {
    await initialize("listed-too");
    const { ledger, clock } = running.engine;
    const accountId = `acct_${userId.slice("user_".length)}` as AccountId;
    const hold = { kind: "hold", accountId, by: "test", expiresAt: addSeconds(clock.now(), 60) } as const;
    await ledger.submit({ ...hold, id: "stream:own" as HoldId, amount: 0n });
    const all = await call(supervisorToken, "GET", "/api/streaming-sessions/active/all");
    expect(all.status).toBe(200);
    const ids = all.body.sessions.map(({ sessionId }: { sessionId: string }) => sessionId);
    expect([ids.includes("listed-too"), ids.includes("own")]).toEqual([true, false]);
  });
});

describe("words that are kept for good", () => {
  it("are cut to a line, and never break a batch of the ledger", async () => {
    const long = `a\0${"b".repeat(100_000)}`;
    const deducted = await post("/api/credits/deduct", { credits: 1, description: long });
    const adjusted = await call(adminToken, "PUT", "/api/credits/adjust", {
      userId,
      credits: 1,
      notes: long,
    });
    const use = { modelId: NOVA, inputTokens: 1, outputTokens: 1, operation: long };
    const recorded = await post("/api/usage/record", use);
    expect([deducted.status, adjusted.status, recorded.status]).toEqual([200, 200, 201]);
    const { rows } = await running.engine.pool.query<{ longest: number }>(
      `select max(length(coalesce(metadata::text, '') || coalesce(note, '') || coalesce(feature, ''))) as longest
       from entries where account_id = $1`,
      [`acct_${userId.slice("user_".length)}`],
    );
    expect(rows[0]!.longest).toBeLessThan(1100);
    for (const modelId of ["a\0b", "m".repeat(129)])
      expect((await post("/api/usage/record", { modelId, tokens: 1 })).status).toBe(400);
  });
});

describe("usage", () => {
  it("is recorded and charged once under its id, and counted", async () => {
    const body = { modelId: NOVA, inputTokens: 500, outputTokens: 500, id: `use-${people}` };
    const first = await post("/api/usage/record", body);
    expect([first.status, first.body.credits]).toEqual([201, 0.06]);
    expect((await post("/api/usage/record", body)).status).toBe(200);
    const stats = (await get("/api/usage/stats")).body;
    expect(stats).toMatchObject({ totalCredits: 0.06, totalRequests: 1, totalInputTokens: 500 });
    expect(stats.byModel).toMatchObject([{ modelId: NOVA, credits: 0.06 }]);
    const system = (await call(supervisorToken, "GET", "/api/usage/system-stats")).body;
    expect(system.totalRequests).toBeGreaterThanOrEqual(1);
    expect((await get("/api/usage/stats?startDate=yesterday")).status).toBe(400);
    expect((await post("/api/usage/record", { modelId: NOVA })).status).toBe(400);
  });
});

describe("usage that is looked at while more is recorded", () => {
  it("is of one moment: by model and by day it is the same", async () => {
    const body = { modelId: NOVA, inputTokens: 1, outputTokens: 1 };
    const recording = Array.from({ length: 60 }, () => post("/api/usage/record", body));
    const looking = Array.from({ length: 30 }, () => get("/api/usage/stats"));
    const looks = await Promise.all(looking);
    await Promise.all(recording);
    const sum = (groups: { requests: number }[]) =>
      groups.reduce((total, { requests }) => total + requests, 0);
    for (const { body: stats } of looks) expect(sum(stats.byDay)).toBe(sum(stats.byModel));
  });
});

describe("chat", () => {
  const open = async (modelId = "sandbox-small") =>
    (await post("/api/chat/sessions", { modelId, title: "A chat" })).body.id as string;
  const say = (id: string, content: string) => post(`/api/chat/sessions/${id}/messages`, { content });

  /** Reads a stream to its end. */
  async function stream(id: string, content: string, at = { url: running.url, token }) {
    const response = await fetch(`${at.url}/api/chat/sessions/${id}/stream`, {
      method: "POST",
      headers: { authorization: `Bearer ${at.token}`, "content-type": "application/json" },
      body: JSON.stringify({ content }),
    });
    const text = await response.text();
    if (!response.headers.get("content-type")?.includes("event-stream"))
      return { status: response.status, body: JSON.parse(text), events: [] };
    return { status: response.status, body: null, events: eventsIn(text) };
  }

  it("answers in one piece, billed exactly, and remembers what was said", async () => {
    const id = await open();
    const first = await say(id, '[[sandbox: say="Hello there."]] Hi');
    expect(first.status).toBe(201);
    expect(first.body).toMatchObject({
      response: "Hello there.",
      message: { role: "assistant", status: "complete" },
    });
    expect(await total()).toBe(100 - first.body.credits);
    expect(first.body.remainingCredits).toBe(await total());
    model.requests.clear();
    await say(id, "And now?");
    const { body } = model.requests.list().at(-1) as unknown as {
      body: string | { messages: { content: string }[] };
    };
    expect(JSON.stringify(body)).toContain("Hello there.");
    const shown = (await get(`/api/chat/sessions/${id}`)).body;
    expect(shown.messages).toHaveLength(4);
    expect((await get("/api/chat/sessions")).body.sessions[0].id).toBe(id);
  });

  it("streams chunks, then both done and complete", async () => {
    const id = await open();
    const { events } = await stream(id, '[[sandbox: say="One two three."]] Count');
    const names = events.map(({ name }) => name);
    expect(names.slice(-2)).toEqual(["done", "complete"]);
    expect(new Set(names.slice(0, -2))).toEqual(new Set(["chunk"]));
    const text = events.filter(({ name }) => name === "chunk").map(({ data }) => data.content);
    expect(text.join("")).toBe("One two three.");
    expect(events.at(-1)!.data.credits).toBeGreaterThan(0);
    expect(await total()).toBe(events.at(-1)!.data.remainingCredits);
  });

  it("402 without credits, before anything is streamed, and keeps nothing of it", async () => {
    const id = await open();
    await call(adminToken, "POST", "/api/credits/set", { userId, credits: 0 });
    for (const answer of [await say(id, "Hi"), await stream(id, "Hi")])
      expect([answer.status, answer.body.code]).toEqual([402, "INSUFFICIENT_CREDITS"]);
    expect((await get(`/api/chat/sessions/${id}`)).body.messages).toEqual([]);
  });

  it("are at most a hundred in which nothing was said", async () => {
    const first = await open();
    for (let chats = 1; chats < 100; chats += 1) await open();
    const refused = await post("/api/chat/sessions", {});
    expect([refused.status, refused.body.code]).toEqual([429, "TOO_MANY_EMPTY_CHATS"]);
    await say(first, "Hi");
    expect((await post("/api/chat/sessions", {})).status).toBe(201);
  });

  it("ends a stream whose credits end, and bills what came", async () => {
    const id = await open();
    await call(adminToken, "POST", "/api/credits/set", { userId, credits: 0.2 });
    const { events } = await stream(id, "[[sandbox: tokens=5000 interval=0ms]] A long story");
    expect(events.at(-1)).toMatchObject({ name: "error", data: { code: "INSUFFICIENT_CREDITS" } });
    expect(events.length).toBeGreaterThan(1);
    expect(await total()).toBeLessThan(0.01);
  });

  it("504 when the model takes too long; what it wrote by then is billed", async () => {
    const id = await open();
    const login = await hurried.call(null, "POST", "/api/auth/login", { username, password });
    const at = { url: hurried.url, token: login.body.accessToken as string };
    const content = "[[sandbox: delay=20s]] Hi";
    const silent = await hurried.call(at.token, "POST", `/api/chat/sessions/${id}/messages`, { content });
    expect([silent.status, silent.body.code]).toEqual([504, "MODEL_TIMEOUT"]);
    const { events } = await stream(id, "[[sandbox: hang_after=5]] Hi", at);
    expect(events.at(-1)).toMatchObject({ name: "error", data: { code: "MODEL_TIMEOUT" } });
    await expect.poll(total).toBeLessThan(100);
    expect((await get("/api/credits/balance")).body.totalCredits).toBeGreaterThan(99);
  });

  it("429 and 503 as the model's provider has it", async () => {
    const id = await open();
    const limited = await say(id, "[[sandbox: status=429 retry_after=7]] Hi");
    expect([limited.status, limited.body.code]).toEqual([429, "RATE_LIMITED"]);
    const broken = await say(id, "[[sandbox: cut_after=0]] Hi");
    expect([broken.status, broken.body.code]).toEqual([503, "MODEL_UNAVAILABLE"]);
    expect(await total()).toBe(100);
  });

  it("lets a supervisor read along, and nobody else", async () => {
    const id = await open();
    const path = `${running.url}/api/chat/sessions/${id}/observe`;
    const watching = await fetch(path, { headers: { authorization: `Bearer ${supervisorToken}` } });
    const seen = collect(watching, "complete");
    await say(id, '[[sandbox: say="Seen."]] Hi');
    const names = (await seen).map(({ name }) => name);
    expect(names[0]).toBe("watching");
    expect(names).toContain("message");
    expect(names).toContain("chunk");
    expect(names.at(-1)).toBe("complete");
    expect((await fetch(path, { headers: { authorization: `Bearer ${token}` } })).status).toBe(403);
  });

  it("names its models, and recommends what the credits pay for", async () => {
    const { models } = (await get("/api/chat/models")).body;
    expect(models.map(({ id }: { id: string }) => id)).toContain(NOVA);
    expect(models.map(({ id }: { id: string }) => id)).not.toContain("sandbox-embedding");
    const recommend = async (body: object) => post("/api/chat/models/recommend", body);
    expect((await recommend({ task: "complex" })).body.recommended.id).toBe("sandbox-large");
    expect((await recommend({ task: "simple" })).body.recommended.id).toBe(NOVA);
    expect((await recommend({ task: "complex", maxCredits: 0.07 })).body.recommended.id).toBe(NOVA);
    expect((await recommend({ maxCredits: 0.000001 })).status).toBe(402);
    expect((await recommend({ task: "magic" })).status).toBe(400);
  });

  it("refuses bad messages and unknown models", async () => {
    const id = await open();
    expect((await say(id, " ")).body.message).toMatch(/^content/);
    expect((await post("/api/chat/sessions", { modelId: 7 })).status).toBe(404);
    expect((await post("/api/chat/sessions", { modelId: NOVA, title: "" })).status).toBe(400);
    const gone = await call(token, "DELETE", `/api/chat/sessions/${id}`);
    expect(gone.status).toBe(200);
    expect((await get(`/api/chat/sessions/${id}`)).status).toBe(404);
  });
});

interface Event {
  readonly name: string;
  readonly data: ReturnType<typeof JSON.parse>;
}

function eventsIn(text: string): Event[] {
  return text.split("\n\n").flatMap((block) => {
    const name = /^event: (.*)$/m.exec(block)?.[1];
    const data = /^data: (.*)$/m.exec(block)?.[1];
    return name === undefined || data === undefined ? [] : [{ name, data: JSON.parse(data) }];
  });
}

/** Reads until this event. */
async function collect(response: Response, last: string): Promise<Event[]> {
  let text = "";
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (eventsIn(text).some(({ name }) => name === last)) break;
  }
  return eventsIn(text);
}
