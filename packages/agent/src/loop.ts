import type { Ending } from "@bursar/contract/agent/events";
import { formatCredits } from "@bursar/contract/money";
import type { ModelMessage } from "ai";
import type { Charge, Denial, DenialCode } from "./bill/billing.ts";
import { assistantMessage, resultsMessage } from "./conversation.ts";
import { callModel } from "./model-call.ts";
import type { AgentReport, Run, Task } from "./run.ts";
import type { MadeCall, Spoken } from "./spoken.ts";
import { Suspended, stopIfSuspended } from "./suspend.ts";
import { runTurn } from "./turn.ts";

interface End {
  readonly ending: Ending;
  readonly message: string | null;
  readonly code: DenialCode | null;
}

/** The whole of an agent: ask the model, do what it asks for, tell it what came of it, until it is done.
 *  Throws: Suspended; whatever else goes wrong is an ending. */
export async function runLoop(run: Run, task: Task): Promise<AgentReport> {
  const { agentId, definition, parentId, prompt } = task;
  const { emit } = run.deps;
  emit({ type: "agent-started", agentId, agent: definition.name, model: run.model, parentId, prompt });
  const progress = { steps: 0, text: "" };
  const end = await goOn(run, task, progress).catch((error: unknown) => {
    if (error instanceof Suspended) throw error;
    return ended("failed", describe(error), "internal");
  });
  const { steps, text } = progress;
  const { ending, message } = end;
  emit({ type: "agent-ended", agentId, ending, message, cost: formatCredits(task.cost), steps });
  return { ...end, ...{ text, steps }, output: task.output, cost: task.cost };
}

async function goOn(run: Run, task: Task, progress: { steps: number; text: string }): Promise<End> {
  await open(run, task);
  while (progress.steps < task.stepLimit) {
    stopIfSuspended(run);
    // What is kept of earlier lives is gone through all the same: it tells what the run has cost.
    const isKept = run.journal.find(`${task.agentId}.${progress.steps + 1}`) !== undefined;
    if (run.signal.aborted && !isKept) return cancelled;
    progress.steps += 1;
    const asked = await callModel(run, task, progress.steps);
    if (asked.kind === "denied") return denied(asked);
    tellCost(run, task, progress.steps, asked.charge);
    if (asked.text !== "") progress.text = asked.text;
    const end = await takeUp(run, task, progress.steps, asked);
    if (end !== null) return end;
  }
  if (run.signal.aborted) return cancelled;
  return ended("step_limit", `The limit of ${task.stepLimit} steps was reached before the end`);
}

/** What the definition has done before the model speaks: it then looks like calls that the agent made itself. */
async function open(run: Run, task: Task): Promise<void> {
  const openings = task.definition.opening?.(run.changedFiles()) ?? [];
  if (openings.length === 0) return;
  const calls = openings.map((call, index) => ({ ...call, callId: `call_0_${index}` }));
  await answerCalls(run, task, 0, "", calls);
}

/** null: the agent goes on. */
async function takeUp(run: Run, task: Task, step: number, asked: Spoken): Promise<End | null> {
  const { text, calls, outcome } = asked;
  if (outcome.kind !== "finished") {
    // Half of a call is none: only what was said is kept.
    if (text !== "") task.messages.push(assistantMessage(text, []));
    if (outcome.kind === "stopped") return cancelled;
    if (outcome.kind === "unpaid") return denied(outcome.denial);
    return ended("model_failed", outcome.message, "upstream_failed");
  }
  if (calls.length === 0) {
    if (text !== "") task.messages.push(assistantMessage(text, []));
    if (!outcome.isCut) return ended("done", null);
    if (asked.isShort)
      return ended("insufficient_credits", "The credits ended before the answer did", "insufficient_credits");
    // Asked to go on with nothing, it would do the same again, at the same price.
    if (text === "") return ended("model_failed", SPEECHLESS, "upstream_failed");
    task.messages.push(continueMessage);
    return null;
  }
  const isOver = await answerCalls(run, task, step, text, calls);
  return isOver ? ended("done", null) : null;
}

const SPEECHLESS = "The model used up its longest answer, thinking perhaps, without a word or a call";

const continueMessage: ModelMessage = {
  role: "user",
  content: "Your answer reached its longest length and was cut there. Go on where it ended.",
};

/** Does the calls of a turn and keeps both sides in the conversation. True when one of them ended the turn. */
async function answerCalls(
  run: Run,
  task: Task,
  step: number,
  text: string,
  calls: readonly MadeCall[],
): Promise<boolean> {
  const answers = await runTurn(run, task, step, calls);
  task.messages.push(assistantMessage(text, calls), resultsMessage(calls, answers), ...task.added.splice(0));
  return calls.some(({ toolName, callId }) => toolName === "end_turn" && answers.get(callId)?.ok === true);
}

function tellCost(run: Run, { agentId }: Task, step: number, charge: Charge): void {
  const { cost, remaining, inputTokens, outputTokens } = charge;
  run.deps.emit({
    ...{ type: "step-cost", agentId, step, inputTokens, outputTokens },
    cost: formatCredits(cost),
    total: formatCredits(run.total),
    remaining: remaining === null ? null : formatCredits(remaining),
  });
}

function denied({ reason, message, code }: Denial): End {
  return { ending: reason, message, code };
}

function ended(ending: Ending, message: string | null, code: DenialCode | null = null): End {
  return { ending, message, code };
}

const cancelled = ended("cancelled", "The run was cancelled");

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
