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
  /** It goes on in another process. What each agent has said since its last `step-cost` is void, and comes again. */
  onResumed?(resumed: ActionOf<"prompt-resumed">): void;
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
  /** As it was asked. */
  readonly request: PromptAction;
  readonly listener: PromptListener;
  readonly end: PromiseWithResolvers<PromptEnd>;
  /** The server has said that it has it. */
  isTaken: boolean;
  isCancelled: boolean;
  /** How many events have come of each agent; reasoning is none. */
  readonly seen: Map<string, number>;
}

/** How many ended prompts are remembered. */
const REMEMBERED = 1024;

/** The prompts that have not ended, and the names of those that have. */
export class Prompts {
  readonly #open = new Map<string, Open>();
  readonly #ended = new Set<string>();
  readonly #isSecond: boolean;

  /** `isSecond`: there may have been another client in this session, before this one. */
  constructor(isSecond: boolean) {
    this.#isSecond = isSecond;
  }

  /** `action`: what to ask of the server; null where it has been asked, and is under way. */
  add(
    action: PromptAction,
    listener: PromptListener,
  ): { action: PromptAction | null; end: Promise<PromptEnd> } {
    const { userInputId } = action;
    const underWay = this.#open.get(userInputId);
    if (underWay !== undefined) return { action: null, end: underWay.end.promise };
    const end = Promise.withResolvers<PromptEnd>();
    // The server tells an end twice only to whoever comes back for it.
    const isBack = this.#isSecond || this.#ended.has(userInputId);
    const request = isBack ? { ...action, seen: {} } : action;
    const fresh = { isTaken: false, isCancelled: false, seen: new Map<string, number>() };
    this.#open.set(userInputId, { request, listener, end, ...fresh });
    return { action: request, end: end.promise };
  }

  taken(userInputId: string): void {
    const open = this.#open.get(userInputId);
    if (open !== undefined) open.isTaken = true;
  }

  cancelled(userInputId: string): void {
    const open = this.#open.get(userInputId);
    if (open !== undefined) open.isCancelled = true;
  }

  fail(userInputId: string, error: Error): void {
    this.#take(userInputId)?.end.reject(error);
  }

  failAll(error: Error): void {
    for (const userInputId of [...this.#open.keys()]) this.fail(userInputId, error);
  }

  /** Those that the server has had, and that neither run where we are now nor have said how they ended. To be asked for
   *  once more: whoever can go on with one does, from its last completed step. */
  findLost({ running }: SessionAnswer): { readonly request: PromptAction; readonly isCancelled: boolean }[] {
    const lost = [...this.#open.values()].filter(
      ({ isTaken, request }) => isTaken && !running.includes(request.userInputId),
    );
    return lost.map(({ request, seen, isCancelled }) => {
      return { request: { ...request, seen: Object.fromEntries(seen) }, isCancelled };
    });
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
        count(open, action.event);
        return listener.onAgentEvent?.(action.event);
      case "message-cost-response":
        return listener.onCost?.(action);
      case "usage-response":
        return listener.onUsage?.(action);
      case "prompt-resumed":
        return listener.onResumed?.(action);
      case "prompt-response": {
        const { ended, output, cost } = action;
        return this.#take(userInputId)?.end.resolve({ userInputId, ended, output, cost });
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

  #take(userInputId: string): Open | undefined {
    const open = this.#open.get(userInputId);
    if (open === undefined) return undefined;
    this.#open.delete(userInputId);
    this.#ended.add(userInputId);
    if (this.#ended.size > REMEMBERED) {
      const [oldest] = this.#ended;
      this.#ended.delete(oldest!);
    }
    return open;
  }
}

function count({ seen }: Open, { type, agentId }: ActionOf<"agent-event">["event"]): void {
  if (type !== "reasoning") seen.set(agentId, (seen.get(agentId) ?? 0) + 1);
}
