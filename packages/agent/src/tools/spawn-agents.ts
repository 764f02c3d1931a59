import { toolFailure } from "@bursar/contract/agent/tool";
import { formatCredits } from "@bursar/contract/money";
import { findAgent } from "../agents/all.ts";
import { newTask, type Run, type Task } from "../run.ts";
import type { ServerTool } from "./server-tool.ts";

const DEEPEST = 3;

/** Other agents, side by side, in the same run: what they cost is its cost, and its end is theirs. */
export const spawnAgents: ServerTool<"spawn_agents"> = async (run, task, { agents }) => {
  const { spawns, name } = task.definition;
  const stranger = agents.find(({ agent }) => !spawns.includes(agent));
  if (stranger !== undefined) {
    const known = spawns.length === 0 ? "none" : `only ${spawns.join(", ")}`;
    return toolFailure("invalid_input", `The ${name} may not spawn ${stranger.agent}; it may spawn ${known}`);
  }
  if (task.depth + 1 > DEEPEST)
    return toolFailure("unavailable", `Agents spawn agents ${DEEPEST} deep at most`);
  const reports = await allOf(agents.map(({ agent, prompt }) => spawn(run, task, agent, prompt)));
  return { ok: true, output: { reports } };
};

/** When one throws, the others are waited for all the same: what they have begun is theirs to pay. */
async function allOf<Report>(running: readonly Promise<Report>[]): Promise<Report[]> {
  await Promise.allSettled(running);
  return Promise.all(running);
}

async function spawn(run: Run, parent: Task, agent: string, prompt: string) {
  const definition = findAgent(agent);
  if (definition === null)
    throw new Error(`${parent.definition.name} may spawn ${agent}, which does not exist`);
  const { stepLimit } = definition;
  const child = newTask(run, { definition, prompt, parent, stepLimit, history: [] });
  const report = await run.perform(child);
  parent.cost += report.cost;
  const said = [report.text, report.message].filter((words) => words !== null && words !== "");
  return {
    agent,
    ending: report.ending,
    text: said.join("\n"),
    output: report.output === null ? null : structuredClone(report.output as Record<string, never>),
    cost: formatCredits(report.cost),
  };
}
