import type { PromptAction } from "@bursar/contract/socket/client-actions";
import type { ServerAction, SessionAnswer } from "@bursar/contract/socket/server-messages";
import { SocketRefused } from "./errors.ts";

export type ActionOf<Type extends ServerAction["type"]> = Extract<ServerAction, { type: Type }>;

/** What a prompt's caller hears while it runs; all of it is optional. */
export interface PromptListener {
  onText?(chunk: string): void;
  onSubagentText?(chunk: ActionOf<"subagent-response-chunk">): void;
  onCost?(cost: ActionOf<"message-cost-response">): void;
  onAgentEvent?(event: ActionOf<"agent-event">["event"]): void;
  onUsage?(usage: ActionOf<"usage-response">): void;
}

export type PromptRequest = Omit<PromptAction, "type" | "userInputId"> & { readonly userInputId?: string };

export interface PromptEnd {
  readonly userInputId: string;
  readonly ended: ActionOf<"prompt-response">["ended"];
  readonly output: unknown;
  /** Credits. */
  readonly cost: string;
}

interface Open {
  readonly listener: PromptListener;
  readonly resolve: (end: PromptEnd) => void;
  readonly reject: (error: Error) => void;
  /** The server has said that it has it. */
  isTaken: boolean;
}

/** The prompts that have not ended. */
export class Prompts {
  readonly #open = new Map<string, Open>();

  add(userInputId: string, listener: PromptListener): Promise<PromptEnd> {
    return new Promise((resolve, reject) =>
      this.#open.set(userInputId, { listener, resolve, reject, isTaken: false }),
    );
  }

  taken(userInputId: string): void {
    const open = this.#open.get(userInputId);
    if (open !== undefined) open.isTaken = true;
  }

  fail(userInputId: string, error: Error): void {
    this.#open.get(userInputId)?.reject(error);
    this.#open.delete(userInputId);
  }

  failAll(error: Error): void {
    for (const userInputId of [...this.#open.keys()]) this.fail(userInputId, error);
  }

  /** Those that the server has had, and that neither run nor have said how they ended, are lost. */
  findLost({ running }: SessionAnswer): void {
    for (const [userInputId, { isTaken }] of this.#open) {
      if (!isTaken || running.includes(userInputId)) continue;
      const message = "the server does not know this prompt any more; its receipt tells what was billed";
      this.fail(userInputId, new SocketRefused("session_lost", message));
    }
  }

  hear(action: ServerAction): void {
    const userInputId = "userInputId" in action ? action.userInputId : undefined;
    const open = userInputId === undefined ? undefined : this.#open.get(userInputId);
    if (open === undefined || userInputId === undefined) return;
    const { listener } = open;
    switch (action.type) {
      case "response-chunk":
        return listener.onText?.(action.chunk);
      case "subagent-response-chunk":
        return listener.onSubagentText?.(action);
      case "agent-event":
        return listener.onAgentEvent?.(action.event);
      case "message-cost-response":
        return listener.onCost?.(action);
      case "usage-response":
        return listener.onUsage?.(action);
      case "prompt-response": {
        this.#open.delete(userInputId);
        const { ended, output, cost } = action;
        return open.resolve({ userInputId, ended, output, cost });
      }
      case "prompt-error":
      case "action-error": {
        const remainingBalance = "remainingBalance" in action ? action.remainingBalance : undefined;
        return this.fail(userInputId, new SocketRefused(action.error, action.message, { remainingBalance }));
      }
      case "init-response":
      case "tool-call-request":
      case "read-files":
      case "request-reconnect":
    }
  }
}
