import type { ToolAnswer } from "@bursar/contract/agent/tool";
import type { ServerToolName, ToolInput, ToolOutput } from "@bursar/contract/agent/tools";
import type { Run, Task } from "../run.ts";

/** A tool whose work is done where the agent runs. */
export type ServerTool<Name extends ServerToolName> = (
  run: Run,
  task: Task,
  input: ToolInput<Name>,
) => Promise<ToolAnswer<ToolOutput<Name>>>;
