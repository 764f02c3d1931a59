import type { ClientToolCall } from "@bursar/contract/agent/client-tools";
import { type ToolAnswer, toolAnswer, toolFailure } from "@bursar/contract/agent/tool";
import { type ClientToolName, TOOLS } from "@bursar/contract/agent/tools";
import type { Run } from "./run.ts";

/** A person may be asked before the work begins, and people take their time. */
const PERSON_MILLISECONDS = 600_000;
const WORK_MILLISECONDS: Partial<Record<ClientToolName, number>> = {
  run_file_change_hooks: 1_800_000,
  run_terminal_command: 600_000,
};
const OTHER_WORK_MILLISECONDS = 60_000;
/** The client keeps the time; this is for one that has gone. */
const LATENESS_MILLISECONDS = 5000;

/** Asks the user's side and believes nothing of the answer but what fits the tool's schema. Outcomes, first match
 *  wins: `cancelled`, `timed_out`, the client's answer, `failed` for one that is no answer. */
export async function askClient(
  run: Run,
  call: Pick<ClientToolCall, "requestId" | "toolName" | "input" | "isAgain">,
): Promise<ToolAnswer> {
  const { toolName } = call;
  const timeoutMs = PERSON_MILLISECONDS + (WORK_MILLISECONDS[toolName] ?? OTHER_WORK_MILLISECONDS);
  const { promise, resolve } = Promise.withResolvers<ToolAnswer>();
  const cancel = () => resolve(toolFailure("cancelled", "The run was cancelled"));
  const late = () => resolve(toolFailure("timed_out", `No answer within ${timeoutMs / 1000} seconds`));
  const timer = setTimeout(late, timeoutMs + LATENESS_MILLISECONDS);
  run.signal.addEventListener("abort", cancel, { once: true });
  try {
    const asked = run.deps.client.call({ ...call, timeoutMs, signal: run.signal });
    return believed(toolName, await Promise.race([asked, promise]));
  } finally {
    clearTimeout(timer);
    run.signal.removeEventListener("abort", cancel);
  }
}

function believed(toolName: ClientToolName, answer: unknown): ToolAnswer {
  const read = toolAnswer.safeParse(answer);
  if (!read.success) return toolFailure("failed", "The client's answer is none");
  if (!read.data.ok) return read.data;
  const output = TOOLS[toolName].output.safeParse(read.data.output);
  if (!output.success) return toolFailure("failed", `The client's answer is none of ${toolName}`);
  return { ok: true, output: output.data };
}
