import { findAgent } from "@bursar/agent/agents/all";
import type { DenialCode } from "@bursar/agent/bill/billing";
import { openRunBilling } from "@bursar/agent/bill/engine-billing";
import type { BillingDeps, TopUp } from "@bursar/agent/bill/purse";
import type { Models, WebSearch } from "@bursar/agent/ports";
import { type RunOutcome, runAgent } from "@bursar/agent/run-agent";
import { Suspended } from "@bursar/agent/suspend";
import type { ClientTools } from "@bursar/contract/agent/client-tools";
import { type ToolAnswer, toolFailure } from "@bursar/contract/agent/tool";
import { whyNotCovered } from "@bursar/engine/gate/chain";
import type { GatePorts } from "@bursar/engine/gate/ports";
import { RESUMABLE_SECONDS } from "@bursar/engine/prompt/lease";
import type { AgentRunner, Run, RunEnd, RunOutput } from "../socket/runner.ts";
import { createTeller } from "./teller.ts";

export interface AgentRunnerDeps extends BillingDeps {
  readonly models: Models;
  readonly webSearch: WebSearch | null;
  /** Where a prompt names none; null: it must. */
  readonly defaultModel: string | null;
  readonly gate: GatePorts;
}

/** Runs the coding agent for a prompt. What works on the user's files is asked of the prompt's client. */
export function createAgentRunner(deps: AgentRunnerDeps): Pick<AgentRunner, "run"> {
  return { run: (run, output) => answerByAgent(deps, run, output) };
}

async function answerByAgent(deps: AgentRunnerDeps, run: Run, output: RunOutput): Promise<RunEnd> {
  const { prompt, principal, requestId: runId, budget } = run;
  const agent = findAgent(prompt.agent ?? "coder");
  if (agent === null)
    return failed(`agent: there is no agent "${prompt.agent}"; there are coder and reviewer`);
  const model = prompt.model ?? deps.defaultModel;
  if (model === null) return failed("model: name one, because this server has no BURSAR_AGENT_MODEL");
  const payer = { ...principal, keyId: principal.keyId ?? undefined };
  const topUp = topUpFor(deps.gate, run);
  const { journal } = run;
  const opened = await openRunBilling(deps, { runId, payer, budget, topUp, isResumed: journal.life > 1 });
  if (opened.kind === "denied")
    return { kind: "refused", error: opened.code, message: opened.message, cost: 0n };
  const { billing } = opened;
  let isLeft = false;
  try {
    const { models, webSearch } = deps;
    const emit = createTeller(output, { requestId: runId, model, seen: run.seen });
    const outcome = await runAgent(
      { billing, models, webSearch, emit, journal, client: clientOf(output) },
      {
        ...{ runId, agent, model, prompt: prompt.prompt, signal: run.signal },
        history: (prompt.history ?? []).map(({ role, content }) => ({
          // What a client calls the system's is the user's word here: the agent has instructions of its own.
          role: role === "assistant" ? "assistant" : "user",
          content,
        })),
      },
    );
    return endOf(outcome);
  } catch (error) {
    if (!(error instanceof Suspended)) throw error;
    isLeft = true;
    return { kind: "suspended" };
  } finally {
    if (!run.lost.aborted) await (isLeft ? billing.leave(RESUMABLE_SECONDS) : billing.close());
  }
}

/** Buys by the account's own policy, as the gate does at the start of a prompt. */
function topUpFor({ topUp }: GatePorts, { principal: { accountId } }: Run): TopUp | undefined {
  if (topUp === undefined) return undefined;
  return {
    isOn: () => topUp.isOn(accountId),
    buy: async (needed) => {
      const covering = await topUp.cover(accountId, needed);
      if (covering.kind === "added") return { kind: "added" };
      const why = whyNotCovered(covering.reason);
      if (why === null) return { kind: "off" };
      const [error, message] = why;
      return { kind: "failed", code: error as DenialCode, message };
    },
  };
}

/** The user's files are where the prompt came from. */
function clientOf(output: RunOutput): ClientTools {
  return {
    call: async ({ requestId, toolName, input, timeoutMs, isAgain = false }): Promise<ToolAnswer> => {
      const answered = await output.ask({ kind: "tool", requestId, toolName, input, isAgain }, timeoutMs);
      switch (answered.kind) {
        case "answered":
          return answered.output as ToolAnswer;
        case "failed":
          return toolFailure("failed", answered.message);
        case "timed_out":
          return toolFailure("timed_out", `No answer within ${timeoutMs / 1000} seconds`);
        case "cancelled":
          return toolFailure("cancelled", "The run was cancelled");
      }
    },
  };
}

function endOf(outcome: RunOutcome): RunEnd {
  const { ending, message, code, text, output: set, cost, steps, changedFiles } = outcome;
  const output = { text, output: set, steps, changedFiles, ending, message };
  switch (ending) {
    case "done":
      return { kind: "ended", how: "complete", output, cost };
    case "cancelled":
      return { kind: "ended", how: "cancelled", output, cost };
    case "insufficient_credits":
      // Why no more could be bought matters more than how far it came.
      if (code === "auto_topup_failed" || code === "auto_topup_disabled")
        return { kind: "refused", error: code, message: message ?? code, cost };
      return { kind: "ended", how: "insufficient_credits", output, cost };
    case "step_limit":
    case "budget_exhausted":
      return { kind: "ended", how: "limit", output, cost };
    case "refused":
    case "model_failed":
    case "failed":
      return { kind: "failed", error: code ?? "internal", message: message ?? ending, cost };
  }
}

function failed(message: string): RunEnd {
  return { kind: "failed", error: "invalid_request", message, cost: 0n };
}
