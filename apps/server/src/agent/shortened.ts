import type { AgentEvent } from "@bursar/contract/agent/events";

const TEXT_CHARACTERS = 2000;

/** The same event with its long texts cut: a client sees whole files by its own tools, and its line is not for them. */
export function shortened(event: AgentEvent): AgentEvent {
  return cut(event) as AgentEvent;
}

function cut(value: unknown): unknown {
  if (typeof value === "string")
    return value.length <= TEXT_CHARACTERS ? value : `${value.slice(0, TEXT_CHARACTERS)}…`;
  if (Array.isArray(value)) return value.map(cut);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, cut(part)]));
}
