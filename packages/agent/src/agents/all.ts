import { coder } from "./coder.ts";
import type { AgentDefinition } from "./definition.ts";
import { reviewer } from "./reviewer.ts";

const AGENTS: readonly AgentDefinition[] = [coder, reviewer];

export function findAgent(name: string): AgentDefinition | null {
  return AGENTS.find((agent) => agent.name === name) ?? null;
}
