/** Prompts that outlive the server they run in, and go on in another on the same database. */
import { type BursarSocket, openSocket, type SocketOptions } from "@bursar/client/socket";
import { credits, formatCredits } from "@bursar/contract/money";
import { type SandboxModel, startSandboxModel } from "@bursar/sandbox/model";
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import type { SocketSettings } from "../src/socket/settings.ts";
import { type Forwarder, startForwarder } from "./forwarder.ts";
import { BACKOFF, beginRun, checkRun, EVENTS, READ_SPEAK_RUN } from "./outliving-run.ts";
import { PRICES, type Running, startRunning } from "./running.ts";

const PATIENCE = { timeout: 30_000, interval: 20 };

let model: SandboxModel;
let running: Running;
let balancer: Forwarder;
const sockets: BursarSocket[] = [];

beforeAll(async () => {
  [model, running] = await Promise.all([startSandboxModel(), startRunning()]);
  model.scripts.add(READ_SPEAK_RUN);
  balancer = await startForwarder(running.url);
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
});
afterAll(async () => {
  await balancer.close();
  await running.close();
  await model.close();
});

async function startServer(settings: Partial<SocketSettings> = {}) {
  const upstream = {
    ...{ name: "box", url: model.url, models: ["small", "chat"] },
    modelNames: { small: "sandbox-scripted", chat: "sandbox-small" },
  };
  const server = await startRunning(running.databaseUrl, 0, {}, { upstreams: [upstream] }, { settings });
  const models = { ...PRICES.models, chat: PRICES.models["small"]! };
  await server.engine.prices.put({ body: { ...PRICES, models }, by: "test" });
  let ended: Promise<void> | null = null;
  const end = () => (ended ??= server.sockets.close(50).then(() => server.close()));
  return { url: server.url, end };
}

/** The one that the balancer leads to, and another one that is ready to follow it. Both are ended after the test. */
async function twoServers() {
  const here = await startServer();
  const there = await startServer();
  onTestFinished(async () => {
    for (const socket of sockets.splice(0)) socket.close();
    await Promise.all([here.end(), there.end()]);
  });
  balancer.to(here.url);
  return { here, there };
}

async function begin(options: Partial<SocketOptions> = {}) {
  const run = await beginRun({ url: balancer.url, model, modelName: "small", running }, options);
  sockets.push(run.socket);
  return run;
}

async function firstPrompt(accountId: string): Promise<{ userInputId: string }> {
  const query = "select asked from prompts where account_id = $1";
  const { rows } = await running.engine.pool.query<{ asked: string }>(query, [accountId]);
  return JSON.parse(rows[0]!.asked) as { userInputId: string };
}

test("a client that has moved to another process takes its run along, and the first lets it go", async () => {
  const { there } = await twoServers();
  const run = await begin();
  await vi.waitFor(() => expect(run.heard.text).toContain("word word word"), PATIENCE);
  balancer.to(there.url);
  balancer.cut();
  await run.go();
  await vi.waitFor(() => expect(run.heard.cuts).toHaveLength(1), PATIENCE);
  await run.ended;
  // The first may have heard the answer to its end by the time it was told; then nothing was cut.
  await checkRun(run, credits(run.heard.cuts[0]!) === 0n ? 3 : 4);
});

test("a client that comes back to a process it has left hears nothing twice of what was said there", async () => {
  const { here, there } = await twoServers();
  const run = await begin();
  await vi.waitFor(() => expect(run.heard.text).toContain("word word word"), PATIENCE);
  balancer.to("http://127.0.0.1:1");
  balancer.cut();
  // Meanwhile the first one says its step to the end, to nobody.
  const kept = "select count(*)::int as n from prompt_steps where account_id = $1 and name = 'a1.2'";
  const steps = async () => (await running.engine.pool.query(kept, [run.account.id])).rows[0].n;
  await vi.waitFor(async () => expect(await steps()).toBe(1), PATIENCE);
  balancer.to(there.url);
  await vi.waitFor(() => run.project.text("ran.txt"), PATIENCE);
  balancer.to(here.url);
  balancer.cut();
  await vi.waitFor(() => expect(run.heard.cuts).toHaveLength(2), PATIENCE);
  await run.go();
  await run.ended;
  await checkRun(run, 3);
});

test("a run that waits for a client who stays away is let go, and goes on with its answer when the client comes back", async () => {
  const here = await startServer({ detachedMilliseconds: 200 });
  onTestFinished(here.end);
  balancer.to(here.url);
  const run = await begin();
  await vi.waitFor(() => run.project.text("ran.txt"), PATIENCE);
  balancer.to("http://127.0.0.1:1");
  balancer.cut();
  const owners = "select owner from prompts where account_id = $1";
  const owner = async () => (await running.engine.pool.query(owners, [run.account.id])).rows[0].owner;
  await vi.waitFor(async () => expect(await owner()).toBeNull(), PATIENCE);
  await run.go();
  balancer.to(here.url);
  await run.ended;
  expect(run.heard.cuts).toEqual(["0"]);
  await checkRun(run, 3);
});

test("cancelled while no process has it, a run ends as cancelled where it comes back", async () => {
  const { here, there } = await twoServers();
  const run = await begin();
  await vi.waitFor(() => expect(run.heard.text).toContain("word word word"), PATIENCE);
  balancer.to("http://127.0.0.1:1");
  await here.end();
  const [{ userInputId }] = [await firstPrompt(run.account.id)];
  void run.socket.cancel(userInputId).catch(() => undefined);
  balancer.to(there.url);
  const { ended, cost } = await run.ended;
  expect(ended).toBe("cancelled");
  const { available, held } = (await run.account.get("/v1/balance")).body;
  expect([held, cost]).toEqual(["0", formatCredits(credits("100") - credits(available))]);
  await run.project[Symbol.asyncDispose]();
});

test("a plain chat is asked again in the other process, and both calls are paid for once", async () => {
  const { here, there } = await twoServers();
  const account = await running.account("100");
  const socket = openSocket({ url: balancer.url, credential: account.key, backoff: BACKOFF });
  sockets.push(socket);
  const heard = { chunks: 0, cuts: [] as string[] };
  model.faults.add({ directive: "hang_after=20" });
  const ended = socket.prompt(
    { prompt: "[[sandbox: tokens=60 interval=20ms]] hello", model: "chat" },
    { onText: () => heard.chunks++, onResumed: ({ cut }) => heard.cuts.push(cut) },
  );
  await vi.waitFor(() => expect(heard.chunks).toBeGreaterThan(5), PATIENCE);
  balancer.to(there.url);
  await here.end();
  const end = await ended;
  expect(end.ended).toBe("complete");
  expect(heard.cuts).toHaveLength(1);
  expect(credits(heard.cuts[0]!)).toBeGreaterThan(0n);
  const { available, held } = (await account.get("/v1/balance")).body;
  expect([held, end.cost]).toEqual(["0", formatCredits(credits("100") - credits(available))]);
  const { entries } = (await account.get("/v1/entries?limit=100")).body;
  expect(entries.filter(({ kind }: { kind: string }) => kind === "settle")).toHaveLength(2);
});

test("a chat whose hold had grown before it was cut is asked again all the same", async () => {
  const { here, there } = await twoServers();
  const account = await running.account("100");
  const socket = openSocket({ url: balancer.url, credential: account.key, backoff: BACKOFF });
  sockets.push(socket);
  const prompt = { prompt: "[[sandbox: tokens=1200 interval=1ms]] hello", model: "chat" };
  const ended = socket.prompt(prompt, {});
  const growths = "select count(*)::int as n from entries where account_id = $1 and kind = 'extend'";
  const grown = async () => (await running.engine.pool.query(growths, [account.id])).rows[0].n;
  await vi.waitFor(async () => expect(await grown()).toBeGreaterThanOrEqual(2), PATIENCE);
  balancer.to(there.url);
  await here.end();
  const end = await ended;
  expect(end.ended).toBe("complete");
  const { available, held } = (await account.get("/v1/balance")).body;
  expect([held, end.cost]).toEqual(["0", formatCredits(credits("100") - credits(available))]);
});

test("a client that is new in the session does not repeat what a former one may have done", async () => {
  const { here, there } = await twoServers();
  const clientSessionId = "session_of_two_clients_0123456789";
  const first = await begin({ clientSessionId });
  await vi.waitFor(() => first.project.text("ran.txt"), PATIENCE);
  const asked = await firstPrompt(first.account.id);
  first.socket.close();
  balancer.to(there.url);
  await here.end();
  const events: string[] = [];
  const answers: unknown[] = [];
  const second = openSocket({
    ...{ url: balancer.url, credential: first.account.key, backoff: BACKOFF, clientSessionId },
    onToolCall: () => Promise.reject(new Error("never")),
  });
  sockets.push(second);
  const { userInputId } = asked;
  const end = await second.prompt(
    { prompt: "whatever is said now", userInputId },
    {
      onAgentEvent: (event) => {
        events.push("callId" in event ? `${event.type} ${event.toolName}` : event.type);
        if (event.type === "tool-result") answers.push(event.answer);
      },
    },
  );
  expect(end.ended).toBe("complete");
  // It hears of all that was done before it came.
  expect(events).toEqual(EVENTS);
  expect(answers[1]).toMatchObject({ ok: false, error: { message: expect.stringMatching(/not known/) } });
  expect(await first.project.text("ran.txt")).toBe("ran\n");
  await first.go();
  await first.project[Symbol.asyncDispose]();
});

test("another key of the account, with the session's id, gets neither the run nor what it did", async () => {
  const { here, there } = await twoServers();
  const clientSessionId = "session_that_is_overheard_0123456789";
  const run = await begin({ clientSessionId });
  await vi.waitFor(() => run.project.text("ran.txt"), PATIENCE);
  const { userInputId } = await firstPrompt(run.account.id);
  run.socket.close();
  balancer.to(there.url);
  await here.end();
  const made = await running.engine.keys.create({ accountId: run.account.id, by: "test" });
  if (made.kind !== "created") throw new Error("no key");
  const thief = openSocket({ url: balancer.url, credential: made.key, backoff: BACKOFF, clientSessionId });
  sockets.push(thief);
  await expect(thief.prompt({ prompt: "x", userInputId })).rejects.toMatchObject({ code: "prompt_repeated" });
  await run.go();
  await run.project[Symbol.asyncDispose]();
});
