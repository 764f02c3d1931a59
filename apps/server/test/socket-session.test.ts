import { type BursarSocket, openSocket, type SocketOptions } from "@bursar/client/socket";
import { formatCredits } from "@bursar/contract/money";
import { SESSION_LIMITS } from "@bursar/contract/socket/limits";
import { type SandboxModel, startSandboxModel } from "@bursar/sandbox/model";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { AgentRunner } from "../src/socket/runner.ts";
import { type Cut, type CutWatch, cuttingSocket } from "./cutting-socket.ts";
import { type Running, startRunning } from "./running.ts";
import { openPeer } from "./socket-peer.ts";

const BACKOFF = { firstMilliseconds: 4, longestMilliseconds: 20 };
const PATIENCE = { timeout: 30_000, interval: 20 };
let model: SandboxModel;
let running: Running;
/** Another server on the same database, which checks credentials as rarely as in production. */
let plain: Running;
const sockets: BursarSocket[] = [];

/** Two metered model calls around a tool and a file of the client: a run as an agent makes it. */
const twoCalls =
  (chat: () => Pick<AgentRunner, "run">): AgentRunner["run"] =>
  async (run, output) => {
    const part = (number: number) => ({ ...run, requestId: `${run.requestId}_${number}` });
    const first = await chat().run(part(1), output);
    if (first.kind !== "ended" || first.how !== "complete") return first;
    const tool = await output.ask({ kind: "tool", toolName: "double", input: { number: 21 } }, 5000);
    const files = await output.ask({ kind: "files", filePaths: ["a.txt", "b.txt"] }, 5000);
    const second = await chat().run(part(2), output);
    if (second.kind === "suspended") return second;
    return {
      ...second,
      kind: "ended",
      how: "complete",
      output: { tool, files },
      cost: first.cost + second.cost,
    };
  };

beforeAll(async () => {
  model = await startSandboxModel();
  const upstream = { name: "box", url: model.url, models: ["small"], modelNames: { small: "sandbox-small" } };
  plain = await startRunning(undefined, 0, {}, { upstreams: [upstream] });
  // The same app, with a runner that also asks its client.
  const { createChatRunner } = await import("../src/socket/chat-runner.ts");
  const chat = createChatRunner({ ...plain.engine, gateway: plain.gateway });
  const agent = { run: twoCalls(() => chat) };
  const runner: AgentRunner = {
    modelFor: () => null,
    run: (run, output) => (run.prompt.agent === "two-calls" ? agent : chat).run(run, output),
  };
  running = await startRunning(
    plain.databaseUrl,
    0,
    {},
    { upstreams: [upstream] },
    { runner, settings: { detachedMilliseconds: 60_000, recheckMilliseconds: 500 } },
  );
  const { close } = running;
  running.close = async () => {
    await close();
    await plain.close();
  };
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
});
afterAll(async () => {
  await running.close();
  await model.close();
});

function open(key: string, options: Partial<SocketOptions> = {}): BursarSocket {
  const socket = openSocket({ url: running.url, credential: key, backoff: BACKOFF, ...options });
  sockets.push(socket);
  return socket;
}

interface Story {
  readonly text: string;
  readonly tools: number;
  readonly files: number;
  readonly costs: readonly string[];
  readonly end: unknown;
  readonly balance: string;
  readonly charged: string;
}

/** One whole run of a new account, with the line cut somewhere. */
async function runWith(cut: Cut | null): Promise<{ story: Story; watch: CutWatch }> {
  const account = await running.account("100");
  const watch = { passedIn: 0, passedOut: 0, cuts: 0 };
  let [tools, files, text] = [0, 0, ""];
  const costs: string[] = [];
  const socket = open(account.key, {
    socketClass: cuttingSocket(cut, watch),
    onToolCall: async ({ input }) => {
      tools += 1;
      // More than a message holds.
      return `${(input as { number: number }).number * 2}${"x".repeat(40_000)}`;
    },
    onReadFiles: async ({ filePaths }) => {
      files += 1;
      return Object.fromEntries(filePaths.map((path) => [path, path === "a.txt" ? "A" : null]));
    },
  });
  const asked = "[[sandbox: tokens=6]] hello";
  const end = await socket.prompt(
    { prompt: asked, model: "small", agent: "two-calls", userInputId: "input_1" },
    {
      onText: (chunk) => {
        text += chunk;
      },
      onCost: ({ cost }) => costs.push(cost),
    },
  );
  socket.close();
  const { available, held } = (await account.get("/v1/balance")).body;
  expect(held).toBe("0");
  const { entries } = (await account.get("/v1/entries?limit=100")).body;
  const charges = entries.filter(({ kind }: { kind: string }) => kind === "settle");
  const charged = `${charges.length} charges`;
  return { story: { text, tools, files, costs, end, balance: available, charged }, watch };
}

describe("a run survives the loss of its socket", () => {
  test("at every message in either direction: nothing is missed, asked twice or billed twice", {
    timeout: 120_000,
  }, async () => {
    const { story, watch } = await runWith(null);
    expect(story).toMatchObject({ tools: 1, files: 1, charged: "2 charges" });
    expect(story.end).toMatchObject({
      ended: "complete",
      output: {
        tool: { kind: "answered", output: `42${"x".repeat(40_000)}` },
        files: { kind: "answered", output: { "a.txt": "A", "b.txt": null } },
      },
    });
    expect(watch.passedIn).toBeGreaterThan(12);
    const cuts: Cut[] = [];
    for (const when of ["before", "after"] as const) {
      for (let at = 1; at <= watch.passedIn; at++) cuts.push({ direction: "in", at, when });
      for (let at = 1; at <= watch.passedOut; at++) cuts.push({ direction: "out", at, when });
    }
    // Some at a time: each is an account and a session of its own.
    let happened = 0;
    const asked = cuts.length;
    while (cuts.length > 0) {
      const some = cuts.splice(0, 4);
      const results = await Promise.all(some.map(runWith));
      for (const [index, result] of results.entries()) {
        expect({ cut: some[index], ...result.story }).toEqual({ cut: some[index], ...story });
        happened += result.watch.cuts;
      }
    }
    // A line may be shorter where messages came together; nearly every cut must have happened.
    expect(happened).toBeGreaterThan(asked * 0.75);
    expect(happened).toBeLessThanOrEqual(asked);
  });

  test("even when its client was away while it ran, and came back as a new process with the session's id", async () => {
    const account = await running.account("100");
    const clientSessionId = `session_of_${account.id}_0123456789`;
    const first = open(account.key, { clientSessionId });
    const chunks: string[] = [];
    const begun = Promise.withResolvers<void>();
    const lost = first.prompt(
      { prompt: "[[sandbox: tokens=8 interval=20ms]] hi", model: "small", userInputId: "away" },
      { onText: () => begun.resolve() },
    );
    await begun.promise;
    first.close();
    await expect(lost).rejects.toMatchObject({ code: "socket_closed" });
    const second = open(account.key, { clientSessionId });
    const end = await second.prompt(
      { prompt: "[[sandbox: tokens=8 interval=20ms]] hi", model: "small", userInputId: "away" },
      { onText: (chunk) => chunks.push(chunk) },
    );
    expect(end.ended).toBe("complete");
    expect(chunks.join("")).toBe((end.output as { text: string }).text);
    const { entries } = (await account.get("/v1/entries")).body;
    expect(entries.filter(({ kind }: { kind: string }) => kind === "settle").length).toBe(1);
  });
});

test("what a client is asked reaches it also where so much was said meanwhile that the request could not be kept", async () => {
  const account = await running.account("100");
  const identify = { type: "identify", clientSessionId: `session_of_${account.id}_0123456789` };
  const ask = (userInputId: string, prompt: string, agent = {}) => ({
    type: "action",
    data: { type: "prompt", userInputId, prompt, model: "small", ...agent },
  });
  const first = openPeer(running.url, account.key);
  await first.say(identify);
  const session = { agent: "two-calls" };
  await first.say(ask("asks", "[[sandbox: tokens=3 interval=50ms]] hi", session));
  await first.say(ask("talks", "[[sandbox: tokens=4500 delay=400ms]] hi"));
  first.socket.terminate();
  const ended = "select count(*)::int as n from prompts where account_id = $1 and ending is not null";
  const talked = async () => (await running.engine.pool.query(ended, [account.id])).rows[0].n;
  await vi.waitFor(async () => expect(await talked()).toBe(1), PATIENCE);
  const second = openPeer(running.url, account.key);
  const { session: found } = await second.say(identify);
  expect(found.nextSeq).toBeGreaterThan(1);
  const { data } = await second.until(({ data: action }) => action?.type === "tool-call-request");
  expect(data).toMatchObject({ userInputId: "asks", toolName: "double" });
  second.socket.terminate();
});

test("an account whose clients come and go has room for another, and only those that are there count", async () => {
  const account = await running.account("100");
  const come = async (number: number) => {
    const peer = openPeer(running.url, account.key);
    const clientSessionId = `session_${number}_of_${account.id}_0123456789`;
    return { peer, answer: await peer.say({ type: "identify", clientSessionId }) };
  };
  for (let number = 0; number < SESSION_LIMITS.perAccount; number += 32) {
    const come32 = await Promise.all(Array.from({ length: 32 }, (_, index) => come(number + index)));
    expect(come32.map(({ answer }) => answer.success)).not.toContain(false);
    for (const { peer } of come32) peer.socket.close();
    await Promise.all(come32.map(({ peer }) => peer.closed));
  }
  const { peer, answer } = await come(SESSION_LIMITS.perAccount);
  expect(answer).toMatchObject({ success: true });
  peer.socket.terminate();
});

describe("a prompt that is asked again under its id", () => {
  const prompt = { prompt: "[[sandbox: tokens=3]] hi", model: "small", userInputId: "same" };

  test("runs once, and every asking hears how it ended: at once, afterwards, and from a later client", async () => {
    const account = await running.account("100");
    const clientSessionId = `session_of_${account.id}_0123456789`;
    const socket = open(account.key, { clientSessionId });
    const [first, second] = await Promise.all([socket.prompt(prompt), socket.prompt(prompt)]);
    expect(first.ended).toBe("complete");
    expect(second).toEqual(first);
    expect(await socket.prompt(prompt)).toEqual(first);
    socket.close();
    expect(await open(account.key, { clientSessionId }).prompt(prompt)).toEqual(first);
    const { entries } = (await account.get("/v1/entries")).body;
    expect(entries.filter(({ kind }: { kind: string }) => kind === "settle").length).toBe(1);
  });

  test("is tried again where it was refused before it began", async () => {
    const account = await running.account("0");
    const socket = open(account.key);
    await expect(socket.prompt(prompt)).rejects.toMatchObject({ code: "insufficient_credits" });
    const grant = { accountId: account.id, amount: "100", source: "purchase" };
    await running.call(running.adminKey, "POST", "/v1/grants", grant);
    expect(await socket.prompt(prompt)).toMatchObject({ ended: "complete" });
  });
});

describe("a session belongs to its credential:", () => {
  test("another account, or another key of the same one, does not get it by its id", async () => {
    const account = await running.account();
    const made = await running.engine.keys.create({ accountId: account.id, by: "test" });
    if (made.kind !== "created") throw new Error("no key");
    const stranger = await running.account();
    const clientSessionId = "session_0123456789_of_one";
    const identify = { type: "identify", clientSessionId };
    const own = openPeer(running.url, account.key);
    await own.say(identify);
    await own.say({ type: "action", data: { type: "init" } });
    await own.until(({ data }) => data?.type === "init-response");
    for (const key of [made.key, stranger.key]) {
      const peer = openPeer(running.url, key);
      expect((await peer.say(identify)).session).toMatchObject({ resumed: false, lastSeq: 0 });
      peer.socket.terminate();
    }
    const again = openPeer(running.url, account.key);
    expect((await again.say(identify)).session).toMatchObject({ resumed: true, nextSeq: 1, lastSeq: 1 });
    expect(await own.closed).toMatchObject({ code: 4409 });
    again.socket.terminate();
  });

  test("an answer to what another session was asked is refused, and the right one still counts", async () => {
    const account = await running.account("100");
    const asked = openPeer(running.url, account.key);
    const thief = openPeer(running.url, account.key);
    await asked.say({ type: "identify", clientSessionId: "session_that_is_asked" });
    await thief.say({ type: "identify", clientSessionId: "session_of_the_thief" });
    const prompt = {
      prompt: "[[sandbox: tokens=3]] x",
      model: "small",
      agent: "two-calls",
      userInputId: "u",
    };
    await asked.say({ type: "action", data: { type: "prompt", ...prompt } });
    const { requestId, input } = (await asked.until(({ data }) => data?.type === "tool-call-request")).data;
    expect(input).toEqual({ number: 21 });
    const answer = { type: "tool-call-response", requestId, output: "stolen" };
    expect(await thief.say({ type: "action", data: answer })).toMatchObject({ error: "request_unknown" });
    const wrongKind = { type: "read-files-response", requestId, output: {} };
    expect(await asked.say({ type: "action", data: wrongKind })).toMatchObject({ error: "request_unknown" });
    await asked.say({ type: "action", data: { ...answer, output: "mine" } });
    const files = (await asked.until(({ data }) => data?.type === "read-files")).data;
    const failing = { type: "read-files-response", requestId: files.requestId, error: "no disk" };
    await asked.say({ type: "action", data: failing });
    const { output } = (await asked.until(({ data }) => data?.type === "prompt-response")).data;
    expect(output).toEqual({
      tool: { kind: "answered", output: "mine" },
      files: { kind: "failed", message: "no disk" },
    });
    asked.socket.terminate();
    thief.socket.terminate();
  });
});

describe("a prompt", () => {
  test("streams, tells its cost, what is left and how it ended; the bill is what it says", async () => {
    const account = await running.account("100");
    const heard: string[] = [];
    const socket = open(account.key);
    expect(await socket.init()).toMatchObject({
      remainingBalance: "100",
      balanceBreakdown: { purchase: "100" },
    });
    let remaining = "";
    const end = await socket.prompt(
      { prompt: "[[sandbox: tokens=5]] hello", model: "small" },
      {
        onText: () => heard.push("text"),
        onCost: ({ cost }) => heard.push(`cost ${cost}`),
        onUsage: ({ remainingBalance }) => {
          heard.push("usage");
          remaining = remainingBalance;
        },
      },
    );
    expect(heard.slice(-2)).toEqual([`cost ${end.cost}`, "usage"]);
    const { available } = (await account.get("/v1/balance")).body;
    expect(remaining).toBe(available);
    expect(Number(available) + Number(end.cost)).toBeCloseTo(100, 6);
  });

  test("does not begin without credits, with a debt or when frozen; usage can be read all the same", async () => {
    const poor = await running.account("0");
    const socket = open(poor.key);
    await expect(socket.prompt({ prompt: "x", model: "small" })).rejects.toMatchObject({
      code: "insufficient_credits",
      remainingBalance: "0",
    });
    expect((await socket.init()).remainingBalance).toBe("0");
    const frozen = await running.account("10");
    const path = `/v1/accounts/${frozen.id}/freeze`;
    expect((await running.call(running.adminKey, "POST", path, { reason: "test" })).status).toBe(200);
    await expect(open(frozen.key).prompt({ prompt: "x", model: "small" })).rejects.toMatchObject({
      code: "account_frozen",
    });
    await expect(socket.prompt({ prompt: "x", budget: "minus" })).rejects.toMatchObject({
      param: "data.budget",
    });
  });

  test("that runs dry stops cleanly with what it has, and one with a budget stops there", async () => {
    const poor = await running.account("0.2");
    const dry = await open(poor.key).prompt({ prompt: "[[sandbox: tokens=2000]] x", model: "small" });
    expect(dry.ended).toBe("insufficient_credits");
    expect((dry.output as { text: string }).text.length).toBeGreaterThan(100);
    const rich = await running.account("100");
    const capped = await open(rich.key).prompt({
      prompt: "[[sandbox: tokens=2000]] x",
      model: "small",
      budget: "0.2",
    });
    expect(capped.ended).toBe("limit");
    expect(Number(capped.cost)).toBeLessThanOrEqual(0.2);
    expect((capped.output as { text: string }).text.length).toBeGreaterThan(100);
  });

  test("is cancelled at once, and what was produced is billed", async () => {
    const account = await running.account("100");
    const socket = open(account.key);
    let count = 0;
    const begun = Promise.withResolvers<void>();
    const end = socket.prompt(
      { prompt: "[[sandbox: tokens=500 interval=10ms]] x", model: "small", userInputId: "long" },
      {
        onText: () => {
          count += 1;
          if (count === 3) begun.resolve();
        },
      },
    );
    await begun.promise;
    await socket.cancel("long");
    const { ended, cost } = await end;
    expect(ended).toBe("cancelled");
    expect(Number(cost)).toBeGreaterThan(0);
    const { available, held } = (await account.get("/v1/balance")).body;
    expect(held).toBe("0");
    expect(formatCredits(100_000_000n - BigInt(Math.round(Number(available) * 1e6)))).toBe(cost);
    await socket.cancel("long");
    await expect(socket.cancel("never")).rejects.toMatchObject({ code: "prompt_unknown" });
  });

  test("is cancelled before its first word, and says what its reading has cost", async () => {
    const account = await running.account("100");
    const socket = open(account.key);
    const prompt = { prompt: "[[sandbox: hang_after=0]] read this", model: "small", userInputId: "unsaid" };
    const end = socket.prompt(prompt);
    await model.requests.waitFor(({ body }) => JSON.stringify(body).includes("read this"));
    await socket.cancel("unsaid");
    const { ended, cost } = await end;
    expect(ended).toBe("cancelled");
    const { available, held } = (await account.get("/v1/balance")).body;
    expect(held).toBe("0");
    expect(Number(cost)).toBeGreaterThan(0);
    expect(formatCredits(100_000_000n - BigInt(Math.round(Number(available) * 1e6)))).toBe(cost);
  });

  test("of a model without a price, or one that fails, says so", async () => {
    const { key } = await running.account("10");
    const socket = open(key);
    await expect(socket.prompt({ prompt: "x", model: "unheard-of" })).rejects.toMatchObject({
      code: "model_unknown",
    });
    const failing = socket.prompt({ prompt: "[[sandbox: status=400 message=no]] x", model: "small" });
    await expect(failing).rejects.toMatchObject({ code: "invalid_request" });
    const broken = socket.prompt({ prompt: "[[sandbox: tokens=40 cut_after=10]] x", model: "small" });
    await expect(broken).rejects.toMatchObject({ code: "upstream_failed" });
  });

  test("that asks a client who never answers goes on without", async () => {
    const account = await running.account("100");
    const peer = openPeer(running.url, account.key);
    await peer.say({ type: "identify", clientSessionId: "session_of_the_silent" });
    const prompt = {
      prompt: "[[sandbox: tokens=3]] x",
      model: "small",
      agent: "two-calls",
      userInputId: "u",
    };
    await peer.say({ type: "action", data: { type: "prompt", ...prompt } });
    await peer.until(({ data }) => data?.type === "tool-call-request");
    await peer.say({ type: "action", data: { type: "cancel-user-input", userInputId: "u" } });
    const { output } = (await peer.until(({ data }) => data?.type === "prompt-response")).data;
    expect(output.tool).toEqual({ kind: "cancelled" });
    peer.socket.terminate();
  });
});

describe("the client", () => {
  test("answers with more than a message can hold", async () => {
    const account = await running.account("100");
    const large = 'ü😀\u0001"'.repeat(60_000);
    const socket = open(account.key, {
      onToolCall: () => Promise.resolve(large),
      onReadFiles: () => Promise.reject(new Error("no such folder")),
    });
    const { output } = await socket.prompt({
      prompt: "[[sandbox: tokens=3]] x",
      model: "small",
      agent: "two-calls",
    });
    expect(output).toEqual({
      tool: { kind: "answered", output: large },
      files: { kind: "failed", message: "no such folder" },
    });
  });

  test("goes on with a new credential when the old one ends, and stops where there is none", async () => {
    const account = await running.account("100");
    const next = await running.engine.keys.create({ accountId: account.id, by: "test" });
    if (next.kind !== "created") throw new Error("no key");
    const keys = [account.key, next.key];
    const states: string[] = [];
    const ended = Promise.withResolvers<unknown>();
    const unwatched = open(account.key, { url: plain.url });
    await unwatched.init();
    const socket = open(account.key, {
      credential: () => keys[0]!,
      onState: (state, reason) => {
        states.push(state);
        if (state === "closed") ended.resolve(reason);
      },
    });
    await socket.init();
    keys.shift();
    await running.engine.keys.revoke(account.keyId);
    // Nothing is begun with an ended key, even before a socket is closed for it.
    await expect(unwatched.prompt({ prompt: "x", model: "small" })).rejects.toMatchObject({
      code: "key_revoked",
    });
    await vi.waitFor(() => expect(states).toEqual(["connected", "connecting", "connected"]), PATIENCE);
    expect((await socket.init()).accountId).toBe(account.id);
    await running.engine.keys.revoke(next.id);
    expect(await ended.promise).toMatchObject({ code: "unauthenticated" });
    await expect(socket.init()).rejects.toMatchObject({ code: "unauthenticated" });
  });

  test("refuses locally what could never be sent", async () => {
    const { key } = await running.account();
    const socket = open(key);
    await expect(socket.prompt({ prompt: "ü".repeat(50_000) })).rejects.toMatchObject({
      code: "body_too_large",
    });
    const odd = open("a key with spaces");
    await expect(odd.init()).rejects.toMatchObject({ code: "invalid_request" });
  });
});

test("a shutdown lets a running prompt end, tells others to reconnect, and leaves what it must cut to another", async () => {
  const upstream = { name: "box", url: model.url, models: ["small"], modelNames: { small: "sandbox-small" } };
  const ending = await startRunning(running.databaseUrl, 0, {}, { upstreams: [upstream] });
  const account = await running.account("100");
  const at = { url: ending.url, credential: account.key, backoff: BACKOFF };
  const idle = openPeer(ending.url, account.key);
  await idle.say({ type: "ping" });
  const left = openPeer(ending.url, account.key);
  await left.say({ type: "identify", clientSessionId: "session_that_is_left" });
  const socket = openSocket(at);
  const begun = Promise.withResolvers<void>();
  const short = socket.prompt(
    { prompt: "[[sandbox: tokens=6 interval=30ms]] x", model: "small" },
    { onText: () => begun.resolve() },
  );
  const prompt = { prompt: "[[sandbox: tokens=5000 interval=30ms]] x", model: "small", userInputId: "left" };
  await left.say({ type: "action", data: { type: "prompt", ...prompt } });
  await Promise.all([begun.promise, left.until(({ data }) => data?.type === "response-chunk")]);
  const closing = ending.sockets.close(60_000);
  expect(await idle.until(({ data }) => data?.type === "request-reconnect")).toBeTruthy();
  expect(await idle.closed).toMatchObject({ code: 1012 });
  expect((await short).ended).toBe("complete");
  // Here its patience ends.
  await ending.sockets.close(0);
  expect(await left.closed).toMatchObject({ code: 1012 });
  // It has not ended, and nothing says that it has.
  expect(left.heard.some(({ data }) => /error|prompt-response/.test(data?.type ?? ""))).toBe(false);
  await closing;
  socket.close();
  await ending.close();
  const { available, held } = (await account.get("/v1/balance")).body;
  expect([held, Number(available) < 100]).toEqual(["0", true]);
  const { rows } = await running.engine.pool.query(
    "select ending, owner, life from prompts where account_id = $1 and asked like '%\"left\"%'",
    [account.id],
  );
  expect(rows).toEqual([{ ending: null, owner: null, life: 1 }]);
});
