import type { AgentEvent } from "@bursar/contract/agent/events";
import { parseCredits } from "@bursar/contract/money";
import type { Run, RunOutput } from "../socket/runner.ts";
import { shortened } from "./shortened.ts";

/** Tells a client what a run does: words as words, so that every client can show them; the rest as events. A run that
 *  goes on in another process is gone through again from its beginning, and each agent's events come in the same order:
 *  what the client has had, by their number, is not told again, nor is the text before it. */
export function createTeller(
  output: RunOutput,
  { requestId, model, seen }: { requestId: string; model: string; seen: Run["seen"] },
): (event: AgentEvent) => void {
  const agents = new Map<string, { name: string; told: number }>();
  let rootId: string | null = null;
  return (event) => {
    const { agentId } = event;
    if (event.type === "agent-started") {
      rootId ??= agentId;
      agents.set(agentId, { name: event.agent, told: 0 });
    }
    const agent = agents.get(agentId)!;
    // What is said belongs to the event that comes after it.
    const isNews = agent.told + 1 > (Object.hasOwn(seen, agentId) ? seen[agentId]! : 0);
    if (event.type !== "text" && event.type !== "reasoning") agent.told += 1;
    if (!isNews) return;
    if (event.type === "text") {
      if (agentId === rootId) output.text(event.text);
      else output.subagentText({ id: agentId, name: agent.name }, event.text);
      return;
    }
    if (event.type === "step-cost")
      output.cost({ model, cost: parseCredits(event.cost) ?? 0n, requestId, agent: agent.name });
    output.event(shortened(event));
  };
}
