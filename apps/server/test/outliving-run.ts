/** A run of the agent whose server may end at any moment: what its client does, hears and pays. */
import { createProjectTools } from "@bursar/client/agent/project-tools";
import { projectFolder } from "@bursar/client/agent/testing/project-folder";
import { openSocket, type SocketOptions } from "@bursar/client/socket";
import { isClientTool } from "@bursar/contract/agent/tools";
import { credits, formatCredits } from "@bursar/contract/money";
import type { SandboxModel } from "@bursar/sandbox/model";
import type { Script } from "@bursar/sandbox/model/scripts";
import { expect } from "vitest";
import type { Running } from "./running.ts";

export const BACKOFF = { firstMilliseconds: 20, longestMilliseconds: 100 };

/** Long enough to be cut in its middle. */
export const LONG = "word ".repeat(60).trim();

/** Tells that it runs, and waits until it may end. */
const COMMAND = "echo ran >> ran.txt; while [ ! -f go ]; do sleep 0.05; done; echo ended";

/** Reads, speaks for a second and runs a command, and ends. */
export const READ_SPEAK_RUN: Script = {
  mode: "turns",
  replies: [
    { content: "I look.", tool_calls: [{ name: "read_files", arguments: { paths: ["log.txt"] } }] },
    {
      content: LONG,
      directive: "interval=20ms",
      tool_calls: [{ name: "run_terminal_command", arguments: { command: COMMAND } }],
    },
    { content: "Done.", tool_calls: [{ name: "end_turn", arguments: {} }] },
  ],
};

/** The next run's model stops in the middle of its long answer, the first time that it is asked for it: whatever ends
 *  then ends while it speaks, however slow the machine is. */
export function stopInTheMiddle(model: SandboxModel): void {
  model.faults.add({ directive: "hang_after=20", after: 1 });
}

export const EVENTS = [
  "agent-started",
  ...["step-cost", "tool-call read_files", "tool-result read_files"],
  ...["step-cost", "tool-call run_terminal_command", "tool-result run_terminal_command"],
  ...["step-cost", "tool-call end_turn", "tool-result end_turn"],
  "agent-ended",
];

interface World {
  /** Where the client connects: a balancer. */
  readonly url: string;
  readonly model: SandboxModel;
  /** As it is called here. */
  readonly modelName: string;
  readonly running: Running;
}

export type OutlivingRun = Awaited<ReturnType<typeof beginRun>>;

export async function beginRun(
  { url, model, modelName, running }: World,
  options: { budget?: string } & Partial<SocketOptions> = {},
) {
  const { budget, ...socketOptions } = options;
  const project = await projectFolder({ "log.txt": "end" });
  const account = await running.account("100");
  const tools = createProjectTools({
    folder: project.path,
    environment: process.env,
    approve: async () => true,
  });
  const calls: string[] = [];
  const heard = { text: "", events: [] as string[], cuts: [] as string[], costs: [] as bigint[] };
  const socket = openSocket({
    ...{ url, credential: account.key, backoff: BACKOFF },
    onToolCall: async ({ requestId, toolName, input, timeout }, signal) => {
      calls.push(toolName);
      if (!isClientTool(toolName)) throw new Error(toolName);
      return tools.call({ requestId, toolName, input, timeoutMs: timeout, signal });
    },
    ...socketOptions,
  });
  const prompt = `Look at it, for ${account.id}`;
  const request = { prompt, agent: "coder", model: modelName };
  const ended = socket.prompt(budget === undefined ? request : { ...request, budget }, {
    onText: (text) => {
      heard.text += text;
    },
    onAgentEvent: (event) => {
      if (event.type === "text" || event.type === "reasoning") return;
      heard.events.push("callId" in event ? `${event.type} ${event.toolName}` : event.type);
    },
    onCost: ({ cost }) => heard.costs.push(credits(cost)),
    onResumed: ({ cut }) => {
      heard.cuts.push(cut);
      heard.text += "|";
    },
  });
  ended.catch(() => undefined);
  return {
    ...{ project, account, calls, heard, socket, ended },
    /** How often the model was asked by this run. */
    asked: () => model.requests.list().filter(({ body }) => JSON.stringify(body).includes(account.id)).length,
    go: () => project.put("go", ""),
  };
}

/** Whatever has happened to it: it is done, each thing was done once, and paid for once. */
export async function checkRun(run: OutlivingRun, asked: number): Promise<void> {
  const end = await run.ended;
  expect(end).toMatchObject({ ended: "complete", output: { text: "Done.", steps: 3 } });
  expect(run.heard.events).toEqual(EVENTS);
  expect(run.calls).toEqual(["read_files", "run_terminal_command"]);
  expect(await run.project.text("ran.txt")).toBe("ran\n");
  expect(run.asked()).toBe(asked);
  const { available, held, owed } = (await run.account.get("/v1/balance")).body;
  expect({ held, owed, cost: end.cost }).toEqual({
    ...{ held: "0", owed: "0" },
    cost: formatCredits(credits("100") - credits(available)),
  });
  // What the steps cost, and what was cut, is all of it.
  const told = run.heard.costs.reduce((sum, cost) => sum + cost, 0n);
  expect(formatCredits(told + credits(run.heard.cuts.at(-1) ?? "0"))).toBe(end.cost);
  await run.project[Symbol.asyncDispose]();
}
