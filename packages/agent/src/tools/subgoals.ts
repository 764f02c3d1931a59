import { toolFailure } from "@bursar/contract/agent/tool";
import type { Run, Task } from "../run.ts";
import type { ServerTool } from "./server-tool.ts";

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
  return shown(run, task);
};

export const updateSubgoal: ServerTool<"update_subgoal"> = async (run, task, { id, status, log }) => {
  const at = run.subgoals.findIndex((subgoal) => subgoal.id === id);
  const before = run.subgoals[at];
  if (before === undefined) {
    const known = run.subgoals.map((subgoal) => subgoal.id).join(", ") || "none";
    return toolFailure("invalid_input", `id: there is no subgoal ${id}; there are: ${known}`);
  }
  const after = log === undefined ? before.log : [...before.log, log];
  run.subgoals[at] = { ...before, status: status ?? before.status, log: after };
  return shown(run, task);
};

function shown(run: Run, { agentId }: Task) {
  const subgoals = structuredClone(run.subgoals);
  run.deps.emit({ type: "subgoals", agentId, subgoals });
  return { ok: true, output: { subgoals } } as const;
}
