/** A run that is stopped and goes on: at every step that is kept, and in the middle of every model call. */
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { ClientTools } from "@bursar/contract/agent/client-tools";
import type { AgentEvent } from "@bursar/contract/agent/events";
import type { ToolAnswer } from "@bursar/contract/agent/tool";
import { credits } from "@bursar/contract/money";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { coder } from "../src/agents/coder.ts";
import { openRunBilling } from "../src/bill/engine-billing.ts";
import type { Journal } from "../src/journal.ts";
import { billOfKept, isModelCall } from "../src/kept.ts";
import { runAgent } from "../src/run-agent.ts";
import { SUSPEND, Suspended } from "../src/suspend.ts";
import { type Running, startRunning } from "./running.ts";

/** So that it can be stopped between two words. */
const SLOWLY = "interval=4ms";

let running: Running;
beforeAll(async () => {
  running = await startRunning();
});
beforeEach(() => {
  running.model.scripts.clear();
  const call = (name: string, args: object = {}) => ({ name, arguments: { ...args } });
  const review = {
    agents: [
      { agent: "reviewer", prompt: "one" },
      { agent: "reviewer", prompt: "two" },
    ],
  };
  running.model.scripts.add({
    when: "You are the coder",
    mode: "turns",
    replies: [
      {
        content: "I note and read.",
        directive: SLOWLY,
        tool_calls: [
          call("add_subgoal", { id: "1", objective: "do it" }),
          call("read_files", { paths: ["a.txt"] }),
        ],
      },
      {
        content: "I write.",
        tool_calls: [
          call("run_terminal_command", { command: "make" }),
          call("write_file", { path: "a.txt", content: "b" }),
          call("web_search", { query: "x" }),
        ],
      },
      { tool_calls: [call("spawn_agents", review)] },
      {
        content: "Done.",
        tool_calls: [call("update_subgoal", { id: "1", status: "completed" }), call("end_turn")],
      },
    ],
  });
  running.model.scripts.add({
    when: "You are the reviewer",
    mode: "turns",
    replies: [{ content: "unused" }, { content: "Good." }],
  });
});
afterAll(() => running.close());

/** The user's side, as the client library has it: what it has done it answers again, and does not do again. */
function aClient() {
  const answers = new Map<string, ToolAnswer>();
  const done: string[] = [];
  const again: string[] = [];
  const outputs: Record<string, unknown> = {
    read_files: { files: [{ path: "a.txt", content: "a" }] },
  };
  const client: ClientTools = {
    call: async ({ requestId, toolName, isAgain }) => {
      if (isAgain === true) again.push(requestId);
      const before = answers.get(requestId);
      if (before !== undefined) return before;
      done.push(toolName);
      const output = outputs[toolName];
      const answer: ToolAnswer =
        output === undefined
          ? { ok: false, error: { code: "unavailable", message: `${toolName} of this test` } }
          : { ok: true, output };
      answers.set(requestId, answer);
      return answer;
    },
  };
  return { client, done, again };
}

/** Where a run is stopped: after the n-th step that it keeps, with the n-th step lost, or at the n-th piece of text. */
type Stop = { readonly at: number; readonly when: "after" | "lost" | "text" };

let runs = 0;

/** Goes through one run in as many lives as there are stops, and one more. */
async function live(stops: readonly Stop[], budget: bigint | null = null) {
  // Words of its cost come as often as words, so that what they are called meets what a later life is called.
  const reporting = { ...running, reportMilliseconds: 1 };
  const runId = `run_resume_${++runs}`;
  const account = await running.account("100");
  const user = aClient();
  const kept = new Map<string, string>();
  const events: AgentEvent[][] = [];
  let searches = 0;
  for (let life = 1; ; life += 1) {
    const stop = stops[life - 1] ?? null;
    const abort = new AbortController();
    const told: AgentEvent[] = [];
    events.push(told);
    let [keeps, texts] = [0, 0];
    const known = new Map(kept);
    const { available: free, held: reserved } = await running.balanceOf(account);
    const paid = [...known].reduce(
      (sum, [name, body]) => sum + (isModelCall(name) ? billOfKept(JSON.parse(body))!.cost : 0n),
      0n,
    );
    const journal: Journal = {
      life,
      cut: credits("100") - free - reserved - paid,
      find: (name) => (known.has(name) ? JSON.parse(known.get(name)!) : undefined),
      keep: async (name, value) => {
        keeps += 1;
        const isNow = stop !== null && stop.when !== "text" && stop.at === keeps;
        if (isNow && stop.when === "lost") {
          abort.abort(SUSPEND);
          throw new Suspended("killed by the test");
        }
        kept.set(name, JSON.stringify(value));
        if (isNow && stop.when === "after") abort.abort(SUSPEND);
      },
    };
    const payer = { accountId: account, by: "key:test" };
    const opened = await openRunBilling(reporting, { runId, payer, budget, isResumed: life > 1 });
    if (opened.kind === "denied") throw new Error(opened.message);
    const provider = createOpenAICompatible({ name: "x", baseURL: running.model.url, includeUsage: true });
    const ended = await runAgent(
      {
        ...{ journal, billing: opened.billing, client: user.client, models: { find: provider } },
        webSearch: async () => {
          searches += 1;
          return [];
        },
        emit: (event) => {
          told.push(event);
          if (event.type !== "text" || stop?.when !== "text") return;
          texts += 1;
          if (texts === stop.at) abort.abort(SUSPEND);
        },
      },
      { runId, agent: coder, model: "sandbox-scripted", prompt: "go", signal: abort.signal },
    ).catch((error: unknown) => {
      if (error instanceof Suspended) return null;
      throw error;
    });
    if (ended === null) {
      await opened.billing.leave(900);
      continue;
    }
    await opened.billing.close();
    const { available, held } = await running.balanceOf(account);
    const { cost, messages, changedFiles, ending, steps, text } = ended;
    // The model names its calls anew whenever it is asked.
    const said = JSON.stringify(messages).replaceAll(/call_[0-9a-f]+x/g, "call_");
    const facts = { ending, steps, text, changedFiles, said, done: user.done.toSorted() };
    const settled = "select count(*)::int as asked from entries where request_id = $1 and kind = 'settle'";
    const [row] = (await running.pool.query<{ asked: number }>(settled, [runId])).rows;
    const { asked } = row!;
    return {
      facts,
      events,
      keeps,
      texts,
      asked,
      searches,
      life,
      again: user.again,
      held,
      cost,
      spent: credits("100") - available,
    };
  }
}

/** What a client sees of an agent, in order, without what is said. */
function ordered(events: readonly AgentEvent[]) {
  const byAgent = new Map<string, string[]>();
  for (const event of events) {
    if (event.type === "text" || event.type === "reasoning") continue;
    const detail = "callId" in event ? event.toolName : "step" in event ? event.step : "";
    byAgent.set(event.agentId, [...(byAgent.get(event.agentId) ?? []), `${event.type} ${detail}`]);
  }
  return Object.fromEntries([...byAgent].toSorted(([a], [b]) => a.localeCompare(b)));
}

it("stopped at any step or word, it goes on as if nothing had been: no tool twice, no step paid twice", {
  timeout: 120_000,
}, async () => {
  const whole = await live([]);
  expect(whole).toMatchObject({ life: 1, asked: 6, searches: 1, held: 0n });
  expect(whole.facts).toMatchObject({ ending: "done", steps: 4, text: "Done." });
  expect(whole.facts.done).toEqual([
    ...["read_files", "run_file_change_hooks", "run_file_change_hooks", "run_terminal_command", "write_file"],
  ]);
  const order = ordered(whole.events[0]!);
  expect(Object.keys(order)).toEqual(["a1", "a1-1", "a1-2"]);
  const stops: Stop[] = [];
  for (let at = 1; at <= whole.keeps; at += 1)
    for (const when of ["after", "lost"] as const) stops.push({ at, when });
  for (let at = 1; at <= whole.texts; at += 1) stops.push({ at, when: "text" });
  expect(stops.length).toBeGreaterThan(30);
  let cuts = 0;
  const rest = stops.values();
  const work = async () => {
    for (const stop of rest) {
      const stopped = await live([stop]);
      const why = JSON.stringify(stop);
      expect(stopped.facts, why).toEqual(whole.facts);
      expect(stopped.life, why).toBe(2);
      expect(stopped.held, why).toBe(0n);
      // A search whose result was lost has no client who remembers it.
      expect(stopped.searches, why).toBeLessThanOrEqual(stop.when === "lost" ? 2 : 1);
      // Every call of a model is paid for once, the cut ones too; and the run tells of all of them.
      expect(stopped.cost, why).toBe(stopped.spent);
      expect(stopped.asked, why).toBeLessThanOrEqual(whole.asked + 2);
      cuts += stopped.asked - whole.asked;
      // Each life tells the same events of each agent in the same order, up to where it was stopped.
      expect(ordered(stopped.events[1]!), why).toEqual(order);
      for (const [agentId, told] of Object.entries(ordered(stopped.events[0]!)))
        expect(order[agentId]!.slice(0, told.length), why).toEqual(told);
    }
  };
  await Promise.all(Array.from({ length: 4 }, work));
  expect(cuts).toBeGreaterThan(5);
});

it("stopped again and again, with a budget, it comes to the same end, and the budget holds", async () => {
  const stops: Stop[] = [
    { at: 2, when: "text" },
    { at: 1, when: "lost" },
    { at: 3, when: "after" },
    { at: 2, when: "after" },
    { at: 6, when: "text" },
  ];
  const { life, facts, held, cost, spent } = await live(stops, credits("50"));
  expect(life).toBe(6);
  expect(facts).toMatchObject({ ending: "done", steps: 4, text: "Done." });
  expect([held, cost]).toEqual([0n, spent]);
});

it("a call that was on its way when its process ended is asked again by its name, and said to be", async () => {
  // Kept are: the model's answer, that its first tool is about to be asked, and what came of that.
  const answered = await live([{ at: 3, when: "after" }]);
  const lost = await live([{ at: 3, when: "lost" }]);
  for (const { facts } of [answered, lost])
    expect(facts.done.filter((tool) => tool === "read_files")).toHaveLength(1);
  expect([answered.again, lost.again]).toEqual([[], [expect.stringMatching(/^run_resume_\d+\.a1\.1\.1$/)]]);
});

it("a step that had told of its cost again and again is asked again all the same", async () => {
  const words = Array.from({ length: 200 }, (_, index) => `word${index}`).join(" ");
  running.model.scripts.clear();
  running.model.scripts.add({
    mode: "turns",
    replies: [{ content: words, directive: "interval=5ms" }],
  });
  const account = await running.account("100");
  const [runId, payer] = ["run_reports", { accountId: account, by: "key:test" }];
  const provider = createOpenAICompatible({ name: "x", baseURL: running.model.url, includeUsage: true });
  const reports = async () => {
    const query = "select count(*)::int as n from entries where account_id = $1 and kind = 'extend'";
    return (await running.pool.query<{ n: number }>(query, [account])).rows[0]!.n;
  };
  const liveOnce = async (life: number) => {
    const abort = new AbortController();
    const deps = { ...running, reportMilliseconds: 10 };
    const opened = await openRunBilling(deps, { runId, payer, budget: null, isResumed: life > 1 });
    if (opened.kind === "denied") throw new Error(opened.message);
    const run = {
      ...{ billing: opened.billing, client: aClient().client, models: { find: provider }, webSearch: null },
      journal: { life, cut: 0n, find: () => undefined, keep: async () => undefined },
      emit: ({ type }: AgentEvent) => {
        if (type !== "text" || life > 1) return;
        void reports().then((told) => told >= 2 && abort.abort(SUSPEND));
      },
    };
    const facts = {
      runId,
      agent: coder,
      model: "sandbox-scripted",
      prompt: "to count",
      signal: abort.signal,
    };
    return runAgent(run, facts).catch((error: unknown) => {
      if (error instanceof Suspended) return "suspended" as const;
      throw error;
    });
  };
  expect(await liveOnce(1)).toBe("suspended");
  expect(await reports()).toBeGreaterThanOrEqual(2);
  expect(await liveOnce(2)).toMatchObject({ ending: "done", text: words });
});
