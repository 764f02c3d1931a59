/** The agent over a line that breaks: it goes on, nothing is done twice, nothing is billed twice. */
import { createProjectTools } from "@bursar/client/agent/project-tools";
import { projectFolder } from "@bursar/client/agent/testing/project-folder";
import { openSocket } from "@bursar/client/socket";
import { isClientTool } from "@bursar/contract/agent/tools";
import type { GrantId } from "@bursar/contract/ids";
import { credits } from "@bursar/contract/money";
import type { GatePorts } from "@bursar/engine/gate/ports";
import { grant } from "@bursar/engine/grant/grant";
import { type SandboxModel, startSandboxModel } from "@bursar/sandbox/model";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Cut, type CutWatch, cuttingSocket } from "./cutting-socket.ts";
import { type Running, startRunning } from "./running.ts";

const isLong = process.env["BURSAR_LONG"] === "1";
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
  model.requests.clear();
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
    { prompt: "Add a word", agent: "coder", model: "small" },
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
      asked: model.requests.list().length,
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

it("cut at any message, a run resumes: each tool once, each model call once, each word once", {
  timeout: 120_000,
}, async () => {
  const whole = await runWith(null);
  expect(whole.facts).toEqual(EXPECTED);
  const { passedIn, passedOut } = whole.watch;
  const cuts: Cut[] = [];
  // Each message once; before and after it on a machine with time.
  const isCut = (at: number, when: Cut["when"]) => isLong || (at % 2 === 0) === (when === "before");
  for (const when of ["before", "after"] as const) {
    for (let at = 1; at <= passedIn; at += 1) if (isCut(at, when)) cuts.push({ direction: "in", at, when });
    for (let at = 1; at <= passedOut; at += 1) if (isCut(at, when)) cuts.push({ direction: "out", at, when });
  }
  for (const cut of cuts) {
    const { facts, watch } = await runWith(cut);
    expect(facts, JSON.stringify(cut)).toEqual(EXPECTED);
    expect(watch.cuts, JSON.stringify(cut)).toBe(1);
  }
});

it("another socket of the account gets none of its tool calls, and cannot answer for it", async () => {
  const account = await running.account("100");
  const asked = Promise.withResolvers<string>();
  const mine = openSocket({
    ...{ url: running.url, credential: account.key, backoff: BACKOFF },
    onToolCall: async ({ requestId }) => {
      asked.resolve(requestId);
      return { ok: false, error: { code: "failed", message: "mine" } };
    },
  });
  const overheard: string[] = [];
  const other = openSocket({
    ...{ url: running.url, credential: account.key, backoff: BACKOFF },
    onToolCall: async ({ toolName }) => overheard.push(toolName),
  });
  await other.init();
  const end = await mine.prompt({ prompt: "Add a word", agent: "coder", model: "small" });
  expect([end.ended, overheard]).toEqual(["complete", []]);
  mine.close();
  other.close();
});

it("runs dry in the middle: buys more and says so, or ends with what went wrong", async () => {
  let isDeclined = false;
  const gate: GatePorts = {
    topUp: {
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
      const socket = openSocket({ url: dry.url, credential: key, backoff: BACKOFF, onToolCall: refuseTools });
      const end = await socket
        .prompt(prompt, { onUsage: ({ autoTopupAdded }) => usage.push(autoTopupAdded) })
        .catch((error: unknown) => error);
      socket.close();
      return { end, usage };
    };
    const first = await dry.account("0.4");
    expect(await ask(first.key)).toMatchObject({ end: { ended: "complete" }, usage: ["50"] });
    isDeclined = true;
    const second = await dry.account("0.4");
    const { end } = await ask(second.key);
    expect(end).toMatchObject({
      code: "auto_topup_failed",
      message: expect.stringContaining("was declined"),
    });
    const { available, held, owed } = (await second.get("/v1/balance")).body;
    expect([Number(available) < 0.4, held, owed]).toEqual([true, "0", "0"]);
  } finally {
    await dry.close();
  }
});

async function refuseTools() {
  return { ok: false, error: { code: "failed", message: "not now" } };
}
