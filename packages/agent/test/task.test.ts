import { projectFolder } from "@bursar/client/agent/testing/project-folder";
import type { AgentEvent } from "@bursar/contract/agent/events";
import { credits, formatCredits } from "@bursar/contract/money";
import { costOf, ratesFor } from "@bursar/engine/price/decide";
import { afterAll, beforeAll, expect, it } from "vitest";
import { FAILING_PROJECT, FALLIBLE_CODER, REVIEWER, TASK } from "./fixture.ts";
import { type Running, ran, startRunning } from "./running.ts";

let running: Running;
beforeAll(async () => {
  running = await startRunning();
});
afterAll(() => running.close());

type ToolResult = Extract<AgentEvent, { type: "tool-result" }>;

const resultsOf = (events: readonly AgentEvent[], name: string) =>
  events.filter((event): event is ToolResult => event.type === "tool-result" && event.toolName === name);

it("a whole task offline: edit, hooks fail, edit again, hooks pass; and the bill is the sum of the model calls", async () => {
  await using project = await projectFolder(FAILING_PROJECT);
  running.model.scripts.add(FALLIBLE_CODER);
  running.model.scripts.add(REVIEWER);
  const account = await running.account("100");
  const { outcome, events, runId } = ran(await running.run({ account, prompt: TASK, folder: project.path }));

  expect(outcome).toMatchObject({ ending: "done", steps: 4, changedFiles: ["sum.mjs"] });
  expect(outcome.text).toBe("sum adds again, and the test passes.");
  expect(await project.text("sum.mjs")).toContain("return a + b;");

  // The reviewer ran the hooks on what was changed before it said a word, twice.
  const hooks = resultsOf(events, "run_file_change_hooks").map(({ answer }) => answer);
  const exits = hooks.map(
    (answer) => answer.ok && (answer.output as { results: { exitCode: number }[] }).results,
  );
  expect(exits).toMatchObject([
    [
      { hookName: "typecheck", exitCode: 0 },
      { hookName: "test", exitCode: 1 },
    ],
    [
      { hookName: "typecheck", exitCode: 0 },
      { hookName: "test", exitCode: 0 },
    ],
  ]);
  const reviewers = events.filter((event) => event.type === "agent-started" && event.agent === "reviewer");
  for (const { agentId } of reviewers) {
    const own = events.filter((event) => event.agentId === agentId).map(({ type }) => type);
    expect(own.indexOf("tool-result")).toBeLessThan(own.indexOf("text"));
  }
  // In its turn the model named the review first; the change went ahead of it all the same.
  const order = events
    .filter(({ type }) => type === "tool-call")
    .map((event) => "toolName" in event && event.toolName);
  expect(order).toEqual([
    "read_files",
    ...["str_replace", "spawn_agents", "run_file_change_hooks"],
    ...["str_replace", "spawn_agents", "run_file_change_hooks"],
    "end_turn",
  ]);

  // Six model calls, each priced from what the provider counted; the run, the account and the events agree.
  const rates = ratesFor(await running.prices.current(), "sandbox-scripted")!;
  const asked = running.model.requests.list().filter(({ path }) => path === "/v1/chat/completions");
  const costs = asked.map(({ promptTokens, cachedTokens, outputTokens }) =>
    costOf(rates, {
      inputTokens: promptTokens,
      cachedInputTokens: cachedTokens,
      outputTokens: outputTokens,
    }),
  );
  const sum = costs.reduce((total, cost) => total + cost, 0n);
  expect(costs).toHaveLength(6);
  expect(outcome.cost).toBe(sum);
  const steps = events.filter((event) => event.type === "step-cost");
  expect(steps.map(({ cost }) => cost)).toEqual(expect.arrayContaining(costs.map(formatCredits)));
  expect(steps).toHaveLength(costs.length);
  expect(steps.at(-1)).toMatchObject({
    total: formatCredits(sum),
    remaining: formatCredits(credits("100") - sum),
  });
  expect(await running.balanceOf(account)).toMatchObject({
    available: credits("100") - sum,
    held: 0n,
    owed: 0n,
  });
  expect(events.at(-1)).toMatchObject({ type: "agent-ended", ending: "done", cost: formatCredits(sum) });
  const entries = await running.pool.query("select count(*)::int from entries where request_id = $1", [
    runId,
  ]);
  expect(entries.rows[0].count).toBeGreaterThanOrEqual(12);
});

const { BURSAR_AGENT_TEST_URL: url, BURSAR_AGENT_TEST_MODEL: model } = process.env;

it.runIf(url !== undefined && model !== undefined)(
  "the same with the model of BURSAR_AGENT_TEST_URL, BURSAR_AGENT_TEST_KEY and BURSAR_AGENT_TEST_MODEL",
  { timeout: 600_000 },
  async () => {
    const apiKey = process.env["BURSAR_AGENT_TEST_KEY"] ?? "none";
    const other = await startRunning({ url: url!, apiKey, model: model! });
    try {
      await using project = await projectFolder(FAILING_PROJECT);
      const account = await other.account("1000");
      const { outcome, events } = ran(await other.run({ account, prompt: TASK, folder: project.path }));
      expect(outcome.ending).toBe("done");
      expect(await project.text("sum.mjs")).toMatch(/a \+ b|b \+ a/);
      const paid = events.filter((event) => event.type === "step-cost").map(({ cost }) => credits(cost));
      expect((await other.balanceOf(account)).available).toBe(
        credits("1000") - paid.reduce((total, cost) => total + cost, 0n),
      );
    } finally {
      await other.close();
    }
  },
);
