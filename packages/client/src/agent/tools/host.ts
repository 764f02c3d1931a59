import type { ToolAnswer } from "@bursar/contract/agent/tool";
import type { ClientToolName, ToolInput, ToolOutput } from "@bursar/contract/agent/tools";
import type { ChangeDeps } from "../project/changes.ts";

/** What the tools are given: the project, what the agent knows of it, and the person to ask. */
export interface HostDeps extends ChangeDeps {
  readonly environment: NodeJS.ProcessEnv;
}

export type Handler<Name extends ClientToolName> = (
  deps: HostDeps,
  input: ToolInput<Name>,
  signal: AbortSignal,
) => Promise<ToolAnswer<ToolOutput<Name>>>;
