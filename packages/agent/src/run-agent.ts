import type { ModelMessage } from "ai";
import type { AgentDefinition } from "./agents/definition.ts";
import { runLoop } from "./loop.ts";
import type { RunDeps } from "./ports.ts";
import { type AgentReport, newTask, Run } from "./run.ts";

export interface RunRequest {
  /** `run_…`; the caller's, and what its holds and receipts are named after. */
  readonly runId: string;
  readonly agent: AgentDefinition;
  readonly model: string;
  readonly prompt: string;
  /** What was said in earlier runs of the same conversation. */
  readonly history?: readonly ModelMessage[];
  /** Model calls of the first agent, at most; default: its own limit. */
  readonly stepLimit?: number;
  /** Aborted: the run ends at once, and what was produced by then is billed. */
  readonly signal: AbortSignal;
}

export interface RunOutcome extends AgentReport {
  /** The conversation, to go on with. */
  readonly messages: readonly ModelMessage[];
  /** Files that were written, in the order of their first change. */
  readonly changedFiles: readonly string[];
}

/** Runs an agent, and the agents that it calls, to its end. Every model call is paid for through `deps.billing`.
 *  Throws: Suspended, when the signal lets go of it; all that it began is paid for by then. Whatever else goes wrong is
 *  an ending. */
export async function runAgent(deps: RunDeps, request: RunRequest): Promise<RunOutcome> {
  const run = new Run(deps, request, runLoop);
  const { agent, prompt, history = [], stepLimit = agent.stepLimit } = request;
  const task = newTask(run, { definition: agent, prompt, parent: null, stepLimit, history });
  const report = await run.perform(task);
  return { ...report, messages: task.messages, changedFiles: run.changedFiles() };
}
