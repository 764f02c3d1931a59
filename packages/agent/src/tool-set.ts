import { TOOLS, type ToolName } from "@bursar/contract/agent/tools";
import { jsonSchema, type ToolSet, tool } from "ai";
import { z } from "zod";
import type { AgentDefinition } from "./agents/definition.ts";
import type { Run } from "./run.ts";

/** The tools that an agent has in this run: its allow-list, less what nobody has configured. */
export function toolsOf({ deps }: Pick<Run, "deps">, { tools }: AgentDefinition): ToolName[] {
  return tools.filter((name) => name !== "web_search" || deps.webSearch !== null);
}

/** As the model is told of them. What it sends is checked by us, so that a mistake is answered in our words. */
export function toolSet(names: readonly ToolName[]): ToolSet {
  return Object.fromEntries(names.map((name) => [name, described(name)])) as ToolSet;
}

type JsonSchema = Parameters<typeof jsonSchema>[0];

const known = new Map<ToolName, ReturnType<typeof describe>>();

/** Worked out once: it is the same for every call. */
function described(name: ToolName): ReturnType<typeof describe> {
  const before = known.get(name);
  if (before !== undefined) return before;
  const made = describe(name);
  known.set(name, made);
  return made;
}

function describe(name: ToolName) {
  const { description, input } = TOOLS[name];
  const { $schema: _, ...schema } = z.toJSONSchema(input, { io: "input" });
  return tool({ description, inputSchema: jsonSchema(schema as JsonSchema) });
}
