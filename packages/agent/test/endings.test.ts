import { projectFolder } from "@bursar/client/agent/testing/project-folder";
import type { AgentEvent } from "@bursar/contract/agent/events";
import type { ToolAnswer } from "@bursar/contract/agent/tool";
import type { GrantId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import { credits } from "@bursar/contract/money";
import { grant } from "@bursar/engine/grant/grant";
import { extend } from "@bursar/engine/hold/extend";
import { closeLeftHolds } from "@bursar/engine/hold/left";
import { sweep } from "@bursar/engine/ledger/sweep";
import type { Script } from "@bursar/sandbox/model/scripts";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openRunBilling } from "../src/bill/engine-billing.ts";
import type { MoreCredits } from "../src/bill/purse.ts";
import { holdIdOf } from "../src/bill/purse.ts";
import { type Running, ran, startRunning } from "./running.ts";

let running: Running;
beforeAll(async () => {
  running = await startRunning();
});
afterAll(() => running.close());
beforeEach(() => {
  running.model.scripts.clear();
  running.model.faults.clear();
  running.model.requests.clear();
});

type Reply = Script["replies"][number];
type Call = NonNullable<Reply["tool_calls"]>[number];

const script = (...replies: Reply[]) => running.model.scripts.add({ mode: "turns", replies });
const calling = (...tool_calls: Call[]): Reply => ({ tool_calls });
const call = (name: string, args: Record<string, unknown> | string = {}): Call => ({ name, arguments: args });

async function run(request: Partial<Parameters<Running["run"]>[0]> & { credits?: string } = {}) {
  await using project = await projectFolder({ "a.txt": "a" });
  const account = request.account ?? (await running.account(request.credits ?? "100"));
  const made = ran(await running.run({ prompt: "go", folder: project.path, ...request, account }));
  return { ...made, account, balance: await running.balanceOf(account) };
}

function answers(events: readonly AgentEvent[]): ToolAnswer[] {
  return events.filter((event) => event.type === "tool-result").map(({ answer }) => answer);
}

type StepCost = Extract<AgentEvent, { type: "step-cost" }>;

const codes = (events: readonly AgentEvent[]) =>
  answers(events).map((answer) => (answer.ok ? "ok" : answer.error.code));

describe("a call that is wrong is answered, and the model can do better", () => {
  it("unknown tools, broken JSON, wrong fields, and what the agent may not do", async () => {
    script(
      calling(
        call("rm_rf"),
        call("read_files", '{"paths": ["a.t'),
        call("read_files", { paths: [] }),
        call("web_search", { query: "x" }),
        call("spawn_agents", { agents: [{ agent: "coder", prompt: "x" }] }),
        call("update_subgoal", { id: "none" }),
      ),
      { content: "I see." },
    );
    const { events, outcome } = await run();
    expect(codes(events)).toEqual([
      ...["tool_unknown", "invalid_input", "invalid_input", "tool_not_allowed"],
      ...["invalid_input", "invalid_input"],
    ]);
    expect(outcome).toMatchObject({ ending: "done", text: "I see.", steps: 2 });
  });

  it("the reviewer cannot edit, nor run commands", async () => {
    script(
      { content: "unused: the hooks' results count as its first turn" },
      calling(
        call("write_file", { path: "a.txt", content: "b" }),
        call("str_replace", { path: "a.txt", replacements: [{ old: "a", new: "b" }] }),
        call("run_terminal_command", { command: "echo b > a.txt" }),
      ),
      { content: "I cannot." },
    );
    await using project = await projectFolder({ "a.txt": "a" });
    const { events } = await run({ agent: "reviewer", folder: project.path });
    expect(codes(events)).toEqual(["ok", ...Array(3).fill("tool_not_allowed")]);
    expect(await project.text("a.txt")).toBe("a");
  });

  it("an answer of the client that fits no schema is not believed", async () => {
    script(calling(call("read_files", { paths: ["a.txt"] })), { content: "Done." });
    const { billing } = await openBilling(await running.account("100"));
    const { runAgent } = await import("../src/run-agent.ts");
    const { coder } = await import("../src/agents/coder.ts");
    const { createOpenAICompatible } = await import("@ai-sdk/openai-compatible");
    const provider = createOpenAICompatible({ name: "x", baseURL: running.model.url, includeUsage: true });
    const events: AgentEvent[] = [];
    await runAgent(
      {
        ...{ billing, webSearch: null, models: { find: provider } },
        client: { call: async () => ({ ok: true, output: { files: "all of them" } }) },
        emit: (event) => events.push(event),
      },
      {
        runId: "x",
        agent: coder,
        model: "sandbox-scripted",
        prompt: "go",
        signal: new AbortController().signal,
      },
    );
    expect(codes(events)).toEqual(["failed"]);
  });
});

it("a model that uses up its longest answer without a word is not paid for a hundred of them", async () => {
  const { outcome } = await run({ model: "sandbox-reasoning" });
  expect(outcome).toMatchObject({ ending: "model_failed", code: "upstream_failed", steps: 1 });
  expect(outcome.message).toContain("without a word");
});

describe("the tools that work where the agent runs", () => {
  it("subgoals, messages, thoughts, output, and a search where one is configured", async () => {
    script(
      calling(
        call("add_subgoal", { id: "1", objective: "find it" }),
        call("think_deeply", { thought: "hm" }),
        call("add_message", { role: "user", content: "REMEMBER THIS" }),
        call("web_search", { query: "bursar" }),
      ),
      calling(
        call("update_subgoal", { id: "1", status: "completed", log: "found" }),
        call("set_output", { output: { answer: 42 } }),
        call("end_turn"),
      ),
    );
    const results = [{ title: "Bursar", url: "https://example.com", text: "credits" }];
    const { events, outcome } = await run({ webSearch: async () => results });
    expect(codes(events)).toEqual(Array(7).fill("ok"));
    expect(answers(events)[3]).toEqual({ ok: true, output: { results } });
    expect(outcome).toMatchObject({ ending: "done", output: { answer: 42 }, steps: 2 });
    const asked = running.model.requests.list().map(({ body }) => JSON.stringify(body));
    expect(asked.map((text) => text.includes("REMEMBER THIS"))).toContain(true);
    expect(events.findLast((event) => event.type === "subgoals")).toMatchObject({
      subgoals: [{ id: "1", status: "completed", log: ["found"] }],
    });
  });

  it("a search that fails is a result, too", async () => {
    script(calling(call("web_search", { query: "x" })), { content: "Then not." });
    const webSearch = async () => {
      throw new Error("the search is down");
    };
    const { events } = await run({ webSearch });
    expect(answers(events)).toEqual([
      { ok: false, error: { code: "failed", message: "the search is down" } },
    ]);
  });
});

describe("every model call is paid for, however it ends", () => {
  it("one that fails before its first token costs nothing", async () => {
    script({ content: "never" });
    running.model.faults.add({ directive: "status=400" });
    const { outcome, balance } = await run();
    expect(outcome).toMatchObject({ ending: "model_failed", cost: 0n });
    expect(balance).toMatchObject({ available: credits("100"), held: 0n });
  });

  it("one that is cut is billed for what came of it, with its prompt", async () => {
    script({ content: "one two three four five six seven", directive: "cut_after=5" });
    const { outcome, balance, events } = await run();
    expect(outcome).toMatchObject({ ending: "model_failed", text: "one two three four five" });
    expect(outcome.cost).toBeGreaterThan(0n);
    expect(balance).toMatchObject({ available: credits("100") - outcome.cost, held: 0n });
    expect(events.find((event) => event.type === "step-cost")).toMatchObject({ outputTokens: 6 });
  });

  it("one that hangs is given up, and billed like one that is cut", async () => {
    script({ content: "one two three four", directive: "hang_after=2" });
    const patience = { totalMs: 20_000, firstChunkMs: 10_000, chunkMs: 700 };
    const { outcome, balance } = await run({ patience });
    expect(outcome).toMatchObject({ ending: "model_failed", text: "one two" });
    expect(balance).toMatchObject({ available: credits("100") - outcome.cost, held: 0n });
    expect(outcome.cost).toBeGreaterThan(0n);
  });

  it("one that only calls tools is billed like any other, and one without a count by ours", async () => {
    script(calling(call("end_turn")));
    const first = await run();
    const { promptTokens, outputTokens } = running.model.requests.list()[0]!;
    const exact = BigInt(promptTokens) * 150n + BigInt(outputTokens) * 600n;
    expect(first.outcome.cost).toBe(exact);
    running.model.scripts.clear();
    script({ content: "counted by us", directive: "no_usage" });
    const { outcome, balance } = await run();
    expect(outcome.ending).toBe("done");
    expect(outcome.cost).toBeGreaterThan(0n);
    expect(balance.available).toBe(credits("100") - outcome.cost);
  });

  it("no zero or gap of the provider's is a count, and what it counts in the total alone is output", async () => {
    const text = "one two three four five six seven";
    const bill = async (directive: string) => {
      running.model.scripts.clear();
      running.model.requests.clear();
      script({ content: text, directive });
      const { events } = await run();
      const { inputTokens, outputTokens } = events.find(({ type }) => type === "step-cost") as StepCost;
      return { inputTokens, outputTokens, promptTokens: running.model.requests.list()[0]!.promptTokens };
    };
    const nothing = await bill("usage_input=0 usage_output=0");
    expect(nothing.inputTokens).toBeGreaterThan(nothing.promptTokens / 2);
    expect(nothing.outputTokens).toBe(Math.ceil(text.length / 4));
    const gap = await bill("usage_output=0");
    expect([gap.inputTokens, gap.outputTokens]).toEqual([gap.promptTokens, Math.ceil(text.length / 4)]);
    const noInput = await bill("usage_input=0 usage_output=500");
    expect(noInput.inputTokens).toBeGreaterThan(noInput.promptTokens / 2);
    expect(noInput.outputTokens).toBe(500);
    const thoughts = await bill("usage_input=1000 usage_output=20 usage_total=3000");
    expect([thoughts.inputTokens, thoughts.outputTokens]).toEqual([1000, 2000]);
  });

  it("a run that is cancelled ends at once, and pays for what it heard", async () => {
    script({ content: "word ".repeat(1000), directive: "interval=20ms" });
    const cancel = new AbortController();
    let words = 0;
    const onEvent = (event: AgentEvent) => {
      words += event.type === "text" ? 1 : 0;
      if (words === 5) cancel.abort();
    };
    const startedAt = performance.now();
    const { outcome, balance } = await run({ signal: cancel.signal, onEvent });
    expect(performance.now() - startedAt).toBeLessThan(15_000);
    expect(outcome).toMatchObject({ ending: "cancelled", text: expect.stringMatching(/^(word ?){5,}/) });
    expect(outcome.cost).toBeGreaterThan(0n);
    expect(balance).toMatchObject({ available: credits("100") - outcome.cost, held: 0n });
    await running.model.requests.waitFor((entry) => entry.outcome === "client_gone");
  });

  it("a run that is cancelled while a command runs does not wait for it", async () => {
    script(
      calling(
        call("run_terminal_command", { command: "sleep 60" }),
        call("read_files", { paths: ["a.txt"] }),
      ),
    );
    const cancel = new AbortController();
    const onEvent = (event: AgentEvent) => {
      if (event.type === "tool-call") setTimeout(() => cancel.abort(), 50);
    };
    const { outcome, events } = await run({ signal: cancel.signal, onEvent });
    expect(outcome.ending).toBe("cancelled");
    expect(codes(events)).toEqual(["cancelled", "cancelled"]);
  });

  it("a model that never ends its turn is stopped at the step limit", async () => {
    running.model.scripts.add({
      mode: "rules",
      replies: [calling(call("think_deeply", { thought: "again" }))],
    });
    const { outcome } = await run({ stepLimit: 3 });
    expect(outcome).toMatchObject({ ending: "step_limit", steps: 3 });
    expect(running.model.requests.list()).toHaveLength(3);
  });

  it("a model that nobody serves, or that has no price, is refused by name", async () => {
    const { outcome } = await run({ model: "nobody's" });
    expect(outcome).toMatchObject({ ending: "refused", message: expect.stringContaining("nobody's") });
    const unpriced = await run({ model: "sandbox-small" });
    expect(unpriced.outcome).toMatchObject({
      ending: "refused",
      message: expect.stringContaining("no price"),
    });
    expect(running.model.requests.list()).toEqual([]);
  });
});

describe("credits that do not last", () => {
  it("without any, no model is asked", async () => {
    script({ content: "never" });
    const { outcome } = await run({ credits: "0" });
    expect(outcome).toMatchObject({ ending: "insufficient_credits", cost: 0n });
    expect(running.model.requests.list()).toEqual([]);
  });

  it("with few, the answer is as long as they last, what was done is kept, and nothing is owed", async () => {
    script(
      calling(call("write_file", { path: "b.txt", content: "kept" })),
      { content: "word ".repeat(5000) },
      { content: "never" },
    );
    await using project = await projectFolder();
    const { outcome, balance } = await run({ credits: "1.5", folder: project.path });
    expect(outcome.ending).toBe("insufficient_credits");
    expect(outcome.text.length).toBeGreaterThan(100);
    expect(await project.text("b.txt")).toBe("kept");
    expect(balance.owed).toBe(0n);
    expect(balance.held).toBe(0n);
    expect(balance.available).toBe(credits("1.5") - outcome.cost);
  });

  it("a budget is never exceeded, and what is left of it comes back", async () => {
    running.model.scripts.add({
      mode: "rules",
      replies: [calling(call("think_deeply", { thought: "more and ".repeat(100) }))],
    });
    const { outcome, balance } = await run({ credits: "100", budget: credits("3") });
    expect(outcome.ending).toBe("budget_exhausted");
    expect(outcome.cost).toBeLessThanOrEqual(credits("3"));
    expect(outcome.cost).toBeGreaterThan(credits("1"));
    expect(balance).toMatchObject({ available: credits("100") - outcome.cost, held: 0n });
    const account = await running.account("1");
    await using project = await projectFolder();
    const denied = await running.run({ account, prompt: "go", folder: project.path, budget: credits("2") });
    expect(denied).toEqual({ denied: "insufficient_credits" });
  });
});

describe("a run that runs dry", () => {
  const words = { content: "one two three four five", tool_calls: [call("think_deeply", { thought: "on" })] };

  async function runDry(
    more: "added" | "off" | "auto_topup_failed" | "auto_topup_disabled",
    budget?: bigint,
  ) {
    running.model.scripts.add({ mode: "turns", replies: [words, words, { content: "Done." }] });
    const account = await running.account("0.7");
    const asked: bigint[] = [];
    await using project = await projectFolder();
    const buy = async (needed: bigint): Promise<MoreCredits> => {
      asked.push(needed);
      if (more === "off") return { kind: "off" };
      if (more !== "added") return { kind: "failed", code: more, message: "Your card was declined" };
      const id = `grant_more_${asked.length}_${account}` as GrantId;
      await grant(running, { accountId: account, source: "topup", by: "test", id, amount: credits("50") });
      return { kind: "added" };
    };
    const topUp = { isOn: async () => more !== "off", buy };
    const request = { account, prompt: "go", folder: project.path, topUp };
    const made = await running.run(budget === undefined ? request : { ...request, budget });
    return { made, asked, balance: await running.balanceOf(account) };
  }

  it("buys more where the account wants that, once, and goes on as if nothing had been", async () => {
    const { made, asked, balance } = await runDry("added");
    const { outcome } = ran(made);
    expect(outcome).toMatchObject({ ending: "done", text: "Done.", steps: 3 });
    expect(asked).toHaveLength(1);
    expect(asked[0]).toBeGreaterThan(0n);
    expect(balance).toMatchObject({ available: credits("50.7") - outcome.cost, held: 0n, owed: 0n });
  });

  it("ends with the reason when that fails, or is off; what was done stays", async () => {
    for (const more of ["auto_topup_failed", "auto_topup_disabled", "off"] as const) {
      running.model.scripts.clear();
      const { outcome: report } = ran((await runDry(more)).made);
      const code = more === "off" ? "insufficient_credits" : more;
      expect(report).toMatchObject({ ending: "insufficient_credits", code });
      expect(report.steps).toBeGreaterThan(1);
    }
  });

  it("buys what a budget needs before it begins", async () => {
    const { made, asked } = await runDry("added", credits("10"));
    expect(ran(made).outcome.ending).toBe("done");
    expect(asked).toEqual([credits("10")]);
    running.model.scripts.clear();
    expect((await runDry("auto_topup_failed", credits("10"))).made).toEqual({ denied: "auto_topup_failed" });
  });
});

describe("a long answer is paid for as it grows", () => {
  const LONG = { content: "word ".repeat(6000) };
  /** About 3.6 credits; an answer of the longest length would cost 9.8. */
  const ENOUGH = "7";

  async function answerLong(amount: string, more: "added" | "declined" | "unasked") {
    script(LONG);
    const account = await running.account(amount);
    const asked: bigint[] = [];
    await using project = await projectFolder();
    const topUp = {
      isOn: async () => true,
      buy: async (needed: bigint): Promise<MoreCredits> => {
        asked.push(needed);
        if (more === "declined") return { kind: "failed", code: "auto_topup_failed", message: "declined" };
        const id = `grant_long_${asked.length}_${account}` as GrantId;
        await grant(running, { accountId: account, source: "topup", by: "test", id, amount: credits("50") });
        return { kind: "added" };
      },
    };
    const request = { account, prompt: "go", folder: project.path, topUp };
    const { outcome } = ran(await running.run(request));
    const query = "select max(held_after) as most from entries where account_id = $1";
    const [row] = (await running.pool.query<{ most: bigint }>(query, [account])).rows;
    return { outcome, asked, most: row!.most, balance: await running.balanceOf(account) };
  }

  it("reserves what an ordinary answer needs, not what the longest one would: nothing is bought for that", async () => {
    const { outcome, asked, most, balance } = await answerLong(ENOUGH, "unasked");
    expect(outcome).toMatchObject({ ending: "done", text: expect.stringMatching(/^(word ?){6000}$/) });
    expect(asked).toEqual([]);
    expect(most).toBeGreaterThan(outcome.cost);
    expect(most).toBeLessThan(credits(ENOUGH));
    expect(balance).toMatchObject({ available: credits(ENOUGH) - outcome.cost, held: 0n, owed: 0n });
  });

  it("an answer that outgrows the account goes on with what is bought at that moment, once", async () => {
    const { outcome, asked, balance } = await answerLong("2.5", "added");
    expect(outcome).toMatchObject({ ending: "done", text: expect.stringMatching(/^(word ?){6000}$/) });
    expect(asked).toHaveLength(1);
    expect(balance).toMatchObject({ available: credits("52.5") - outcome.cost, held: 0n, owed: 0n });
  });

  it("or ends there, by the reason's name, with what was said kept and paid, and nothing owed", async () => {
    const { outcome, asked, balance } = await answerLong("2.5", "declined");
    expect(outcome).toMatchObject({ ending: "insufficient_credits", code: "auto_topup_failed" });
    expect(asked).toHaveLength(1);
    expect(outcome.text.length).toBeGreaterThan(5000);
    expect(balance).toMatchObject({ available: credits("2.5") - outcome.cost, held: 0n, owed: 0n });
  });

  it("ends where nobody can say whether there are credits", async () => {
    script(LONG);
    let isBroken = false;
    const onEvent = (event: AgentEvent) => {
      if (event.type !== "text" || isBroken) return;
      isBroken = true;
      running.breakLedger(1);
    };
    const { outcome, balance } = await run({ credits: ENOUGH, onEvent });
    expect(outcome).toMatchObject({ ending: "refused", code: "unavailable" });
    expect(outcome.cost).toBeGreaterThan(credits("1"));
    expect(balance).toMatchObject({ available: credits(ENOUGH) - outcome.cost, held: 0n });
  });
});

describe("a ledger that cannot be asked", () => {
  it("is a no before the call, and is asked again after it", async () => {
    script({ content: "paid" });
    const account = await running.account("100");
    running.breakLedger(1);
    const refused = await run({ account });
    expect(refused.outcome).toMatchObject({ ending: "failed", cost: 0n });
    expect(running.model.requests.list()).toEqual([]);
    const onEvent = (event: AgentEvent) => {
      if (event.type === "text" && event.text === "paid") running.breakLedger(2);
    };
    const { outcome, balance } = await run({ account, onEvent });
    expect(outcome.ending).toBe("done");
    expect(balance).toMatchObject({ available: credits("100") - outcome.cost, held: 0n });
  });

  it("does not run the same run twice: its holds cannot pay for the work again", async () => {
    const account = await running.account("100");
    const call = { callId: "a1.1", agent: "coder", model: "sandbox-scripted", messages: 1, texts: ["x"] };
    const first = await (await openBilling(account)).billing.beforeModelCall(call);
    expect(first.kind).toBe("permit");
    const again = await (await openBilling(account)).billing.beforeModelCall(call);
    expect(again).toMatchObject({ kind: "denied", code: "key_conflict" });
  });

  it("settles by itself, at what was last reported, when the process dies during a call", async () => {
    const account = await running.account("100");
    const { billing } = await openBilling(account, 0);
    const permit = await billing.beforeModelCall({
      ...{ callId: "a1.1", agent: "coder", model: "sandbox-scripted", messages: 1 },
      texts: ["a prompt of some words"],
    });
    if (permit.kind === "denied") throw new Error(permit.message);
    permit.heard("some words that were heard ");
    await new Promise((resolve) => setTimeout(resolve, 5));
    permit.heard("before the end ");
    const reported = async () => {
      const query = "select reported from holds where account_id = $1 and hold_id = $2";
      return BigInt((await running.pool.query(query, [account, "hold_dead.a1.1"])).rows[0].reported);
    };
    while ((await reported()) === 0n) await new Promise((resolve) => setTimeout(resolve, 10));
    running.clock.set((running.clock.now() + 901_000_000) as Instant);
    await sweep(running);
    const { available, held } = await running.balanceOf(account);
    expect(held).toBe(0n);
    expect(available).toBeLessThan(credits("100"));
    expect(available).toBeGreaterThan(credits("99.9"));
  });
});

describe("a process that was taken for dead and is not", () => {
  const usage = { inputTokens: 1000, cachedInputTokens: 0, outputTokens: 1000 };
  /** 1,000 tokens of input and of output. */
  const cost = credits("0.75");

  async function begun(reported: bigint, budget: bigint | null = null) {
    const account = await running.account("100");
    const runId = `run_taken${(takenRuns += 1)}`;
    const payer = { accountId: account, by: "key:test" };
    const opened = await openRunBilling(running, { runId, payer, budget });
    if (opened.kind === "denied") throw new Error(opened.message);
    const permit = await opened.billing.beforeModelCall({
      ...{ callId: "a1.1", agent: "coder", model: "sandbox-scripted", messages: 1, texts: ["words"] },
    });
    if (permit.kind === "denied") throw new Error(permit.message);
    const holdId = holdIdOf(`${runId}.a1.1`);
    const signed = { accountId: account, by: "key:test", holdId };
    if (reported > 0n) await extend(running, { ...signed, id: `${holdId}.report.1`, amount: 0n, reported });
    const left = { accountId: account, prefix: `${holdIdOf(runId)}.`, by: "key:test", requestId: runId };
    return { account, permit, left, billing: opened.billing };
  }

  it.each([0n, credits("0.2")])(
    "is paid for all that its call has cost, once (%s reported)",
    async (word) => {
      const { account, permit, left, billing } = await begun(word);
      await closeLeftHolds(running, left);
      expect((await running.balanceOf(account)).available).toBe(credits("100") - word);
      expect(await billing.afterModelCall(permit, usage, false)).toMatchObject({ cost });
      const { available, held } = await running.balanceOf(account);
      expect({ available, held }).toEqual({ available: credits("100") - cost, held: 0n });
      const used = "select output_tokens::int as tokens from usage_records where account_id = $1";
      expect((await running.pool.query(used, [account])).rows).toEqual([{ tokens: 1000 }]);
      await closeLeftHolds(running, left);
      expect((await running.balanceOf(account)).available).toBe(available);
    },
  );

  it("takes it from the budget that the run goes on with", async () => {
    const { account, permit, left, billing } = await begun(0n, credits("50"));
    await closeLeftHolds(running, left);
    expect(await billing.afterModelCall(permit, usage, false)).toMatchObject({ cost });
    const { available, held } = await running.balanceOf(account);
    expect({ available, held }).toEqual({ available: credits("50"), held: credits("50") - cost });
  });

  it("a step that is kept is settled at what was kept of it", async () => {
    const { account, left } = await begun(credits("0.2"));
    const { rows } = await running.pool.query("select hold_id from holds where account_id = $1", [account]);
    await closeLeftHolds(running, { ...left, costs: new Map([[rows[0].hold_id, cost]]) });
    expect((await running.balanceOf(account)).available).toBe(credits("100") - cost);
  });
});

it("a budget that was left for a quarter of an hour is renewed by whoever goes on with the run", async () => {
  const account = await running.account("100");
  const request = {
    runId: "run_renewed",
    payer: { accountId: account, by: "key:test" },
    budget: credits("5"),
  };
  const open = async (isResumed: boolean) => {
    const opened = await openRunBilling(running, { ...request, isResumed });
    if (opened.kind === "denied") throw new Error(opened.message);
    return opened.billing;
  };
  await (await open(false)).leave(900);
  const second = await open(true);
  running.clock.set((running.clock.now() + 901_000_000) as Instant);
  await sweep(running);
  expect((await running.balanceOf(account)).held).toBe(credits("5"));
  await second.close();
  expect((await running.balanceOf(account)).held).toBe(0n);
});

let takenRuns = 0;

async function openBilling(accountId: Awaited<ReturnType<Running["account"]>>, reportMilliseconds?: number) {
  const deps = reportMilliseconds === undefined ? running : { ...running, reportMilliseconds };
  const payer = { accountId, by: "key:test" };
  const opened = await openRunBilling(deps, { runId: "run_dead", payer, budget: null });
  if (opened.kind === "denied") throw new Error(opened.message);
  return opened;
}
