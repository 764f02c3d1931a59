import type { ToolName } from "@bursar/contract/agent/tools";

/** A call that the runtime makes for an agent before its model speaks for the first time. */
export interface OpeningCall {
  readonly toolName: ToolName;
  readonly input: unknown;
}

/** What makes an agent: what it is told, what it may do, whom it may ask. */
export interface AgentDefinition {
  readonly name: string;
  /** What the model is told about itself. */
  readonly instructions: string;
  /** The allow-list. A call of another tool is answered with `tool_not_allowed`. */
  readonly tools: readonly ToolName[];
  /** The agents that it may spawn. */
  readonly spawns: readonly string[];
  /** Model calls, at most. */
  readonly stepLimit: number;
  /** Done before the model is asked anything, whatever it might think of it. */
  readonly opening?: (changedFiles: readonly string[]) => readonly OpeningCall[];
}
