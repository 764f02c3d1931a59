import type { ClientTools } from "@bursar/contract/agent/client-tools";
import type { AgentEvent } from "@bursar/contract/agent/events";
import type { ToolOutput } from "@bursar/contract/agent/tools";
import type { LanguageModel } from "ai";
import type { ModelBilling } from "./bill/billing.ts";
import type { Journal } from "./journal.ts";

/** One that can be asked, and not its name. */
export type Model = Exclude<LanguageModel, string>;

export interface Models {
  /** null: nobody is configured to serve it. */
  find(model: string): Model | null;
}

/** Throws: the search cannot be reached, or answers no such thing. */
export type WebSearch = (query: string, signal: AbortSignal) => Promise<ToolOutput<"web_search">["results"]>;

/** Milliseconds. All of it stays below the life of a call's hold. */
export interface ModelPatience {
  readonly totalMs: number;
  readonly firstChunkMs: number;
  readonly chunkMs: number;
}

/** The world of one run. */
export interface RunDeps {
  readonly models: Models;
  readonly billing: ModelBilling;
  /** Where the user's files are. */
  readonly client: ClientTools;
  /** Told what happens, in order; must not throw. */
  readonly emit: (event: AgentEvent) => void;
  /** null: no search is configured, and no agent has the tool. */
  readonly webSearch: WebSearch | null;
  /** How long a model may be silent; default: 5 minutes to begin, 2 between, 14 in all. */
  readonly patience?: ModelPatience;
  /** Default: the run ends with its process. */
  readonly journal?: Journal;
}
