import { type ToolAnswer, toolFailure } from "@bursar/contract/agent/tool";
import {
  changesFiles,
  isClientTool,
  isToolName,
  readInput,
  type ToolName,
} from "@bursar/contract/agent/tools";
import { askClient } from "./client-call.ts";
import { answerFrom } from "./kept.ts";
import type { Run, Task } from "./run.ts";
import type { MadeCall } from "./spoken.ts";
import { Suspended, stopIfSuspended } from "./suspend.ts";
import { toolsOf } from "./tool-set.ts";
import { SERVER_TOOLS } from "./tools/all.ts";
import type { ServerTool } from "./tools/server-tool.ts";

/** Carries out the calls of one turn and answers every one of them. Changes of files go first, whatever the model's
 *  order, and are awaited: whatever else it asks for, such as a hook, finds them on disk. Then the others, in order. */
export async function runTurn(
  run: Run,
  task: Task,
  step: number,
  calls: readonly MadeCall[],
): Promise<ReadonlyMap<string, ToolAnswer>> {
  const answers = new Map<string, ToolAnswer>();
  const numbered = calls.map((call, index) => ({
    ...call,
    name: `${task.agentId}.${step}.${index}`,
  }));
  const ordered = [
    ...numbered.filter(({ toolName }) => changesFiles(toolName)),
    ...numbered.filter(({ toolName }) => !changesFiles(toolName)),
  ];
  for (const call of ordered) answers.set(call.callId, await answer(run, task, call));
  return answers;
}

interface NumberedCall extends MadeCall {
  /** What the journal knows it by. */
  readonly name: string;
}

async function answer(run: Run, task: Task, call: NumberedCall): Promise<ToolAnswer> {
  const { callId, toolName, input } = call;
  const { agentId } = task;
  const shown = toJson(input);
  run.deps.emit({ type: "tool-call", agentId, callId, toolName, input: shown });
  const given = await carryOut(run, task, call).catch((error: unknown) => {
    if (error instanceof Suspended) throw error;
    return toolFailure("failed", error instanceof Error ? error.message : String(error));
  });
  if (isToolName(toolName)) run.calls.push({ toolName, input, isOk: given.ok });
  const plain = given.ok ? { ok: true as const, output: toJson(given.output) } : given;
  run.deps.emit({ type: "tool-result", agentId, callId, toolName, answer: plain });
  return plain;
}

/** Throws: Suspended. Outcomes, first match wins: `cancelled`, `tool_unknown`, `tool_not_allowed`, `invalid_input`, the tool's own. */
async function carryOut(run: Run, task: Task, call: NumberedCall): Promise<ToolAnswer> {
  const { toolName, input } = call;
  stopIfSuspended(run);
  if (!isToolName(toolName)) return toolFailure("tool_unknown", `There is no tool ${toolName}`);
  const allowed = toolsOf(run, task.definition);
  if (!allowed.includes(toolName))
    return toolFailure(
      "tool_not_allowed",
      `The ${task.definition.name} has no ${toolName}, only ${allowed.join(", ")}`,
    );
  if (typeof input === "string")
    return toolFailure(
      "invalid_input",
      "The arguments are not JSON; perhaps the answer was cut before their end",
    );
  const checked = readInput(toolName, input);
  if (checked.kind === "invalid") return toolFailure("invalid_input", checked.message);
  // Agents that were spawned in an earlier life have costs to tell of.
  const isGoneThrough = toolName === "spawn_agents" && run.journal.life > 1;
  if (!reachesOutside(toolName) && run.signal.aborted && !isGoneThrough) return cancelled;
  if (isClientTool(toolName)) {
    const requestId = `${run.runId}.${call.name}`;
    return once(run, call.name, (isAgain) =>
      askClient(run, { requestId, toolName, input: checked.input, isAgain }),
    );
  }
  if (!reachesOutside(toolName)) return runServerTool(run, task, toolName, checked.input);
  return once(run, call.name, () => runServerTool(run, task, toolName, checked.input));
}

const cancelled = toolFailure("cancelled", "The run was cancelled");

function reachesOutside(name: ToolName): boolean {
  return isClientTool(name) || name === "web_search";
}

/** Does what reaches outside once in all the lives of a run. What was begun in an earlier one and is not known to have
 *  ended is begun `again`, under the same name: whoever did it can tell. What only changes the run itself needs none of
 *  this, for that happens anew whenever the run is gone through. Throws: Suspended. */
async function once(
  { journal, signal }: Run,
  name: string,
  work: (isAgain: boolean) => Promise<ToolAnswer>,
): Promise<ToolAnswer> {
  const kept = journal.find(name);
  if (kept !== undefined) return answerFrom(kept);
  if (signal.aborted) return cancelled;
  const begun = `${name}?`;
  const isAgain = journal.find(begun) !== undefined;
  if (!isAgain) await journal.keep(begun, true);
  const answer = await work(isAgain).catch((error: unknown) => {
    if (error instanceof Suspended) throw error;
    return toolFailure("failed", error instanceof Error ? error.message : String(error));
  });
  // What was stopped is no answer.
  if (!answer.ok) stopIfSuspended({ signal });
  await journal.keep(name, answer);
  return answer;
}

function runServerTool(run: Run, task: Task, name: ToolName, input: unknown): Promise<ToolAnswer> {
  const handlers: Partial<Record<ToolName, ServerTool<never>>> = SERVER_TOOLS;
  const handler = handlers[name];
  if (handler === undefined) throw new Error(`nobody carries out ${name}`);
  // The input has just been read by the schema of this very tool.
  return handler(run, task, input as never);
}

/** What crosses a wire: without undefined, and null for what is no JSON at all. */
function toJson(value: unknown): ReturnType<typeof JSON.parse> {
  return JSON.parse(JSON.stringify(value) ?? "null");
}
