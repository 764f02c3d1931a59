import type { ClientTools } from "@bursar/contract/agent/client-tools";
import type { AgentEvent } from "@bursar/contract/agent/events";

/** What was said before, the oldest first. */
export interface Said {
  readonly role: "user" | "assistant";
  readonly content: string;
}

export interface AgentPrompt {
  readonly prompt: string;
  readonly history: readonly Said[];
  readonly agent: string | undefined;
  readonly model: string | undefined;
  /** Credits that it may cost at most, as a decimal string. */
  readonly budget: string | undefined;
}

export interface AgentEnd {
  /** `complete`, `cancelled`, `insufficient_credits` or `limit`. */
  readonly ended: string;
  /** Credits. */
  readonly cost: string;
}

/** What a run is listened to with. `onTopUp`: credits that were bought to let it go on. */
export interface AgentListener {
  readonly tools: ClientTools;
  readonly onEvent: (event: AgentEvent) => void;
  readonly onTopUp: (added: string) => void;
}

/** The way to where the agent runs: events come from there, and calls of the tools that work here. */
export interface AgentTransport {
  /** Runs a prompt to its end; aborting the signal cancels it. Rejects when it is refused or fails. */
  run(prompt: AgentPrompt, listener: AgentListener, signal: AbortSignal): Promise<AgentEnd>;
  /** Credits that the account had at the start; a decimal string. */
  readonly balance: string;
  close(): void;
}
