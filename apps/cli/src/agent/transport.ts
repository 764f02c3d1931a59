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

/** What happens to the account, or to the run itself, while it goes on. Amounts are credits, as decimal strings. */
export type AccountNews =
  | { readonly type: "balance"; readonly available: string; readonly held: string; readonly owed: string }
  /** The server restarted, or nobody was there for too long; the run goes on, and the step that was cut begins again. `cut`: what such
   *  steps have cost. */
  | { readonly type: "resumed"; readonly cut: string }
  /** Bought to let the run go on. */
  | { readonly type: "credits-added"; readonly credits: string }
  | {
      readonly type: "payment";
      readonly kind: "purchase" | "topup";
      readonly state: "granted" | "requires_action" | "failed" | "reversed";
      readonly credits: string;
      /** Where a person confirms it, while that is open. */
      readonly url: string | null;
      /** Why it failed. */
      readonly message: string | null;
    };

/** What a run is listened to with. */
export interface AgentListener {
  readonly tools: ClientTools;
  readonly onEvent: (event: AgentEvent) => void;
  readonly onNews: (news: AccountNews) => void;
  /** The connection broke, and is tried again. */
  readonly onLost: () => void;
}

/** The way to where the agent runs: events come from there, and calls of the tools that work here. */
export interface AgentTransport {
  /** Runs a prompt to its end; aborting the signal cancels it. Rejects when it is refused or fails. */
  run(prompt: AgentPrompt, listener: AgentListener, signal: AbortSignal): Promise<AgentEnd>;
  /** Credits that the account had at the start; a decimal string. */
  readonly balance: string;
  close(): void;
}
