import { toolFailure } from "@bursar/contract/agent/tool";
import type { ServerTool } from "./server-tool.ts";
import { showSubgoals } from "./show-subgoals.ts";

const MOST_SUBGOALS = 100;

export const addSubgoal: ServerTool<"add_subgoal"> = async (run, task, { id, objective, status }) => {
  if (run.subgoals.some((subgoal) => subgoal.id === id))
    return toolFailure(
      "invalid_input",
      `id: there is a subgoal ${id} already; change it with update_subgoal`,
    );
  if (run.subgoals.length === MOST_SUBGOALS)
    return toolFailure("invalid_input", `there are ${MOST_SUBGOALS} subgoals already`);
  run.subgoals.push({ id, objective, status: status ?? "not_started", log: [] });
  return showSubgoals(run, task);
};
