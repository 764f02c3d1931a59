import type { z } from "zod";
import type { Tool } from "./tool.ts";
import { addMessage } from "./tools/add-message.ts";
import { addSubgoal } from "./tools/add-subgoal.ts";
import { codeSearch } from "./tools/code-search.ts";
import { createPlan } from "./tools/create-plan.ts";
import { endTurn } from "./tools/end-turn.ts";
import { findFiles } from "./tools/find-files.ts";
import { readFiles } from "./tools/read-files.ts";
import { runFileChangeHooks } from "./tools/run-file-change-hooks.ts";
import { runTerminalCommand } from "./tools/run-terminal-command.ts";
import { setOutput } from "./tools/set-output.ts";
import { spawnAgents } from "./tools/spawn-agents.ts";
import { strReplace } from "./tools/str-replace.ts";
import { thinkDeeply } from "./tools/think-deeply.ts";
import { updateSubgoal } from "./tools/update-subgoal.ts";
import { webSearch } from "./tools/web-search.ts";
import { writeFile } from "./tools/write-file.ts";

/** Every tool an agent may have. The server checks calls against it, and the client checks them again. */
export const TOOLS = {
  read_files: readFiles,
  write_file: writeFile,
  str_replace: strReplace,
  create_plan: createPlan,
  run_file_change_hooks: runFileChangeHooks,
  run_terminal_command: runTerminalCommand,
  code_search: codeSearch,
  find_files: findFiles,
  spawn_agents: spawnAgents,
  think_deeply: thinkDeeply,
  add_subgoal: addSubgoal,
  update_subgoal: updateSubgoal,
  add_message: addMessage,
  set_output: setOutput,
  web_search: webSearch,
  end_turn: endTurn,
} as const satisfies Record<string, Tool>;

export type ToolName = keyof typeof TOOLS;
export type ToolInput<Name extends ToolName> = z.output<(typeof TOOLS)[Name]["input"]>;
export type ToolOutput<Name extends ToolName> = z.input<(typeof TOOLS)[Name]["output"]>;

type OnSide<Side extends Tool["side"]> = {
  [Name in ToolName]: (typeof TOOLS)[Name]["side"] extends Side ? Name : never;
}[ToolName];

export type ClientToolName = OnSide<"client">;
export type ServerToolName = OnSide<"server">;

export function isToolName(name: string): name is ToolName {
  return Object.hasOwn(TOOLS, name);
}

export function isClientTool(name: string): name is ClientToolName {
  return isToolName(name) && TOOLS[name].side === "client";
}

export function changesFiles(name: string): boolean {
  const tool: Tool | undefined = isToolName(name) ? TOOLS[name] : undefined;
  return tool?.changesFiles === true;
}

type Checked<Name extends ToolName> =
  | { readonly kind: "input"; readonly input: ToolInput<Name> }
  | { readonly kind: "invalid"; readonly message: string };

/** Reads a call's input. Outcomes, first match wins: invalid (says which field, and what would be right), input. */
export function readInput<Name extends ToolName>(name: Name, input: unknown): Checked<Name> {
  const parsed = TOOLS[name].input.safeParse(input);
  if (parsed.success) return { kind: "input", input: parsed.data as ToolInput<Name> };
  const problems = parsed.error.issues.slice(0, 5).map(({ path, message }) => {
    const field = path.map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`)).join("");
    return `${field.replace(/^\./, "") || "the input"}: ${message}`;
  });
  return { kind: "invalid", message: problems.join("; ") };
}
