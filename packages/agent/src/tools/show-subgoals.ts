import type { Run, Task } from "../run.ts";

/** Shows the run's subgoals to the user, and to the model as the answer of the call that changed them. */
export function showSubgoals(run: Run, { agentId }: Task) {
  const subgoals = structuredClone(run.subgoals);
  run.deps.emit({ type: "subgoals", agentId, subgoals });
  return { ok: true, output: { subgoals } } as const;
}
