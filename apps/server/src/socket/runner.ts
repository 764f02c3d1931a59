import type { Journal } from "@bursar/agent/journal";
import type { AgentEvent } from "@bursar/contract/agent/events";
import type { AccountId } from "@bursar/contract/ids";
import type { MicroCredits } from "@bursar/contract/money";
import type { PromptAction } from "@bursar/contract/socket/client-actions";
import type { SocketErrorName } from "@bursar/contract/socket/errors";
import type { Cap } from "@bursar/engine/ledger/command";
import type { Answered } from "./asked.ts";
import type { ClientRequest } from "./session.ts";

/** A prompt that has passed the gate. */
export interface Run {
  readonly prompt: PromptAction;
  /** Who pays, and who asks. */
  readonly principal: {
    readonly accountId: AccountId;
    readonly keyId: string | null;
    readonly by: string;
    readonly caps: readonly Cap[];
  };
  /** The same for the same prompt of the same session, ever: what is billed under it is billed once. */
  readonly requestId: string;
  /** What it may cost at most, in micro-credits; null: no limit of its own. */
  readonly budget: MicroCredits | null;
  /** Aborts when the client cancels, or with the reason SUSPEND when this process lets go of the run. What was produced
   *  until then is billed. */
  readonly signal: AbortSignal;
  /** What is done of it, in this process and in those before. */
  readonly journal: Journal;
  /** Aborted when another process has the run: what it still holds is no more this one's to give back. */
  readonly lost: AbortSignal;
  /** How many agent events its client has had of each agent. */
  readonly seen: Readonly<Record<string, number>>;
}

/** What a run can do while it runs. */
export interface RunOutput {
  text(chunk: string): void;
  subagentText(agent: { readonly id: string; readonly name: string }, chunk: string): void;
  /** What an agent does; its words go by the two above. */
  event(event: AgentEvent): void;
  /** One model call that has been settled. */
  cost(call: {
    readonly model: string | null;
    readonly cost: MicroCredits;
    readonly requestId: string | null;
    readonly agent?: string;
  }): void;
  /** Asks the client; answers by kind, and never throws. */
  ask(request: ClientRequest, timeoutMilliseconds?: number): Promise<Answered>;
}

export type RunEnd =
  | {
      readonly kind: "ended";
      readonly how: "complete" | "cancelled" | "insufficient_credits" | "limit";
      /** What the client gets as the result; must be JSON. */
      readonly output: unknown;
      readonly cost: MicroCredits;
    }
  /** It goes on elsewhere. */
  | { readonly kind: "suspended" }
  | (Failure & { readonly kind: "failed" })
  /** The credits could not be had, and why: the client is told as at the gate. */
  | (Failure & { readonly kind: "refused" });

interface Failure {
  readonly error: SocketErrorName;
  readonly message: string;
  readonly cost: MicroCredits;
}

/** Does the work of a prompt, and bills it. */
export interface AgentRunner {
  /** The model that a prompt names, or this server for it; null: one that has a price is chosen, or there is none. */
  modelFor(prompt: PromptAction): string | null;
  run(run: Run, output: RunOutput): Promise<RunEnd>;
}
