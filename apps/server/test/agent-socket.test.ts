/** The agent over a line that breaks: it goes on, nothing is done twice, nothing is billed twice. */
import { createProjectTools } from "@bursar/client/agent/project-tools";
import { projectFolder } from "@bursar/client/agent/testing/project-folder";
import { openSocket } from "@bursar/client/socket";
import { isClientTool } from "@bursar/contract/agent/tools";
import type { GrantId } from "@bursar/contract/ids";
import { credits, formatCredits } from "@bursar/contract/money";
import type { GatePorts } from "@bursar/engine/gate/ports";
import { grant } from "@bursar/engine/grant/grant";
import { type SandboxModel, startSandboxModel } from "@bursar/sandbox/model";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Cut, type CutWatch, cuttingSocket } from "./cutting-socket.ts";
import { type Running, startRunning } from "./running.ts";
import { openPeer } from "./socket-peer.ts";

const BACKOFF = { firstMilliseconds: 2, longestMilliseconds: 10 };
let model: SandboxModel;
let running: Running;

beforeAll(async () => {
  model = await startSandboxModel();
  const upstream = {
    name: "box",
    url: model.url,
    models: ["small"],
    modelNames: { small: "sandbox-scripted" },
  };
  running = await startRunning(undefined, 0, {}, { upstreams: [upstream] });
  const append = { path: "log.txt", replacements: [{ old: "end", new: "more end" }] };
  model.scripts.add({
    mode: "turns",
    replies: [
      { content: "I look.", tool_calls: [{ name: "read_files", arguments: { paths: ["log.txt"] } }] },
      {
        tool_calls: [
          { name: "run_terminal_command", arguments: { command: "echo ran >> ran.txt" } },
          { name: "str_replace", arguments: append },
        ],
      },
      { content: "Done.", tool_calls: [{ name: "end_turn", arguments: {} }] },
    ],
  });
});
afterAll(async () => {
  await running.close();
  await model.close();
});

/** One run over a socket that is cut once. */
async function runWith(cut: Cut | null) {
  await using project = await projectFolder({ "log.txt": "end" });
  const account = await running.account("100");
  const watch: CutWatch = { passedIn: 0, passedOut: 0, cuts: 0 };
  const tools = createProjectTools({
    folder: project.path,
    environment: process.env,
    approve: async () => true,
  });
  const { signal } = new AbortController();
  const calls: string[] = [];
  const heard = { text: "", events: [] as string[] };
  const prompt = `Add a word, for ${account.id}`;
  const socket = openSocket({
    ...{ url: running.url, credential: account.key, backoff: BACKOFF },
    socketClass: cuttingSocket(cut, watch),
    onToolCall: async ({ requestId, toolName, input, timeout }) => {
      calls.push(toolName);
      if (!isClientTool(toolName)) throw new Error(toolName);
      return tools.call({ requestId, toolName, input, timeoutMs: timeout, signal });
    },
  });
  const end = await socket.prompt(
    { prompt, agent: "coder", model: "small" },
    {
      onText: (text) => {
        heard.text += text;
      },
      onAgentEvent: ({ type }) => heard.events.push(type),
    },
  );
  socket.close();
  const { available, held } = (await account.get("/v1/balance")).body;
  return {
    watch,
    facts: {
      ...{ ended: end.ended, calls, heard, held },
      files: [await project.text("log.txt"), await project.text("ran.txt")],
      asked: model.requests.list().filter(({ body }) => JSON.stringify(body).includes(prompt)).length,
      isPaidOnce: credits(available) + credits(end.cost) === credits("100"),
    },
  };
}

const EXPECTED = {
  ended: "complete",
  calls: ["read_files", "str_replace", "run_terminal_command"],
  heard: {
    text: "I look.Done.",
    events: [
      "agent-started",
      ...["step-cost", "tool-call", "tool-result"],
      ...["step-cost", "tool-call", "tool-result", "tool-call", "tool-result"],
      ...["step-cost", "tool-call", "tool-result"],
      "agent-ended",
    ],
  },
  held: "0",
  files: ["more end", "ran\n"],
  asked: 3,
  isPaidOnce: true,
};

/** Runs at the same time: each is an account, a project and a session of its own. */
const AT_ONCE = 8;

it("cut before or after any message, a run resumes: each tool once, each model call once, each word once", {
  timeout: 120_000,
}, async () => {
  const whole = await runWith(null);
  expect(whole.facts).toEqual(EXPECTED);
  const { passedIn, passedOut } = whole.watch;
  const cuts: Cut[] = [];
  for (const when of ["before", "after"] as const) {
    for (let at = 1; at <= passedIn; at += 1) cuts.push({ direction: "in", at, when });
    for (let at = 1; at <= passedOut; at += 1) cuts.push({ direction: "out", at, when });
  }
  expect(cuts.length).toBeGreaterThan(50);
  const rest = cuts.values();
  const work = async () => {
    for (const cut of rest) {
      const { facts, watch } = await runWith(cut);
      expect(facts, JSON.stringify(cut)).toEqual(EXPECTED);
      expect(watch.cuts, JSON.stringify(cut)).toBe(1);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
});

it("large answers to several runs at once all arrive", async () => {
  const account = await running.account("1000");
  const files = [{ path: "log.txt", content: "x".repeat(3_000_000) }];
  const all = Promise.withResolvers<void>();
  let asked = 0;
  const socket = openSocket({
    ...{ url: running.url, credential: account.key, backoff: BACKOFF },
    onToolCall: async ({ toolName }) => {
      if (toolName !== "read_files") return refuseTools();
      asked += 1;
      if (asked === 4) all.resolve();
      await all.promise;
      return { ok: true, output: { files } };
    },
  });
  const prompt = { prompt: "Add a word", agent: "coder", model: "small" };
  const ends = await Promise.all(Array.from({ length: 4 }, () => socket.prompt(prompt)));
  expect(ends.map(({ ended }) => ended)).toEqual(Array(4).fill("complete"));
  socket.close();
});

const STOLEN = { ok: true, output: { files: [{ path: "log.txt", content: "stolen" }] } };

it("another socket of the account gets none of its tool calls, and cannot answer for it", async () => {
  const account = await running.account("100");
  const asked = Promise.withResolvers<string>();
  const stolen = Promise.withResolvers<void>();
  const results: unknown[] = [];
  const mine = openSocket({
    ...{ url: running.url, credential: account.key, backoff: BACKOFF },
    onToolCall: async ({ requestId }) => {
      asked.resolve(requestId);
      await stolen.promise;
      return { ok: false, error: { code: "failed", message: "mine" } };
    },
  });
  const overheard: string[] = [];
  const other = openSocket({
    ...{ url: running.url, credential: account.key, backoff: BACKOFF },
    onToolCall: async ({ toolName }) => overheard.push(toolName),
  });
  await other.init();
  const thief = openPeer(running.url, account.key);
  await thief.say({ type: "identify", clientSessionId: "session_of_the_thief" });
  const ended = mine.prompt(
    { prompt: "Add a word", agent: "coder", model: "small" },
    { onAgentEvent: (event) => event.type === "tool-result" && results.push(event.answer) },
  );
  const answer = { type: "tool-call-response", requestId: await asked.promise, output: STOLEN };
  expect(await thief.say({ type: "action", data: answer })).toMatchObject({
    success: false,
    error: "request_unknown",
    param: "data.requestId",
  });
  stolen.resolve();
  expect([(await ended).ended, overheard]).toEqual(["complete", []]);
  expect(results[0]).toEqual({ ok: false, error: { code: "failed", message: "mine" } });
  expect(JSON.stringify(results)).not.toContain("stolen");
  thief.socket.terminate();
  mine.close();
  other.close();
});

it("runs dry in the middle: buys more and says so, or ends with what went wrong", async () => {
  let isDeclined = false;
  const gate: GatePorts = {
    topUp: {
      isOn: async () => true,
      cover: async (accountId) => {
        if (isDeclined) return { kind: "not_covered", reason: "declined" };
        const id = `grant_more_${accountId}` as GrantId;
        const facts = { accountId, id, source: "topup", by: "test" } as const;
        await grant(dry.engine, { ...facts, amount: credits("50") });
        return { kind: "added", credits: credits("50") };
      },
    },
  };
  const upstream = {
    name: "box",
    url: model.url,
    models: ["small"],
    modelNames: { small: "sandbox-scripted" },
  };
  const dry = await startRunning(undefined, 0, {}, { upstreams: [upstream] }, { gate });
  try {
    const prompt = { prompt: "Add a word", agent: "coder", model: "small" };
    const ask = async (key: string) => {
      const usage: (string | undefined)[] = [];
      const heard: { data?: { type?: string } }[] = [];
      const watch: CutWatch = { passedIn: 0, passedOut: 0, cuts: 0, heard };
      const socket = openSocket({
        ...{ url: dry.url, credential: key, backoff: BACKOFF, onToolCall: refuseTools },
        socketClass: cuttingSocket(null, watch),
      });
      const end = await socket
        .prompt(prompt, { onUsage: ({ autoTopupAdded }) => usage.push(autoTopupAdded) })
        .catch((error: unknown) => error);
      socket.close();
      return { end, usage, last: heard.findLast(({ data }) => data !== undefined)?.data };
    };
    const first = await dry.account("0.4");
    expect(await ask(first.key)).toMatchObject({
      end: { ended: "complete" },
      usage: ["50"],
      last: { type: "prompt-response" },
    });
    isDeclined = true;
    const second = await dry.account("0.4");
    const { end, last } = await ask(second.key);
    expect(end).toMatchObject({
      code: "auto_topup_failed",
      message: expect.stringContaining("was declined"),
    });
    const { available, held, owed } = (await second.get("/v1/balance")).body;
    expect(last).toMatchObject({
      type: "action-error",
      error: "auto_topup_failed",
      remainingBalance: available,
      cost: formatCredits(credits("0.4") - credits(available)),
    });
    expect([Number(available) < 0.4, held, owed]).toEqual([true, "0", "0"]);
  } finally {
    await dry.close();
  }
});

async function refuseTools() {
  return { ok: false, error: { code: "failed", message: "not now" } };
}
