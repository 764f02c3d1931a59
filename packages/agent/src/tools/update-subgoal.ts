import { toolFailure } from "@bursar/contract/agent/tool";
import type { ServerTool } from "./server-tool.ts";
import { showSubgoals } from "./show-subgoals.ts";

export const updateSubgoal: ServerTool<"update_subgoal"> = async (run, task, { id, status, log }) => {
  const at = run.subgoals.findIndex((subgoal) => subgoal.id === id);
  const before = run.subgoals[at];
  if (before === undefined) {
    const known = run.subgoals.map((subgoal) => subgoal.id).join(", ") || "none";
    return toolFailure("invalid_input", `id: there is no subgoal ${id}; there are: ${known}`);
  }
  const after = log === undefined ? before.log : [...before.log, log];
  run.subgoals[at] = { ...before, status: status ?? before.status, log: after };
  return showSubgoals(run, task);
};
