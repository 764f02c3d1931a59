import { BursarSocket } from "@bursar/client/socket";
import { toolFailure } from "@bursar/contract/agent/tool";
import { isClientTool } from "@bursar/contract/agent/tools";
import type { Context } from "../context.ts";
import { AccountWatch } from "./account-watch.ts";
import type { AgentEnd, AgentListener, AgentPrompt, AgentTransport } from "./transport.ts";

const DEFAULT_AGENT = "coder";

/** The prompt that runs now: its tools are those that the server's calls reach. */
interface Running extends Pick<AgentListener, "tools" | "onLost"> {
  readonly signal: AbortSignal;
}

/** An agent over `/ws`. The socket renews itself; what runs on the server goes on meanwhile.
 *  Throws: nothing to connect to, or no key. */
export async function connectAgent(context: Context): Promise<AgentTransport> {
  const { client, account, credential } = await context.connect("own");
  // Says at once when nothing answers or the key is wrong: a socket would try again and again.
  const { available: balance } = await client.getBalance(account);
  let running: Running | null = null;
  let wasConnected = false;
  const socket = new BursarSocket({
    ...{ url: client.url, credential, accountId: account.accountId },
    onToolCall: async ({ requestId, toolName, input, timeout }, signal) => {
      if (running === null || !isClientTool(toolName))
        return toolFailure("tool_unknown", `There is no tool ${toolName} here`);
      const either = AbortSignal.any([signal, running.signal]);
      return running.tools.call({ requestId, toolName, input, timeoutMs: timeout, signal: either });
    },
    onState: (state) => {
      if (wasConnected && state === "connecting") running?.onLost();
      wasConnected ||= state === "connected";
    },
  });
  return {
    run: async (prompt, listener, signal) => {
      const mine: Running = { ...listener, signal };
      running = mine;
      try {
        return await runOver(socket, prompt, listener, signal);
      } finally {
        // One that was left may end after the next has begun.
        if (running === mine) running = null;
      }
    },
    balance,
    close: () => socket.close(),
  };
}

async function runOver(
  socket: BursarSocket,
  { prompt, history, agent = DEFAULT_AGENT, model, budget }: AgentPrompt,
  { onEvent, onNews }: AgentListener,
  signal: AbortSignal,
): Promise<AgentEnd> {
  const userInputId = `prompt_${crypto.randomUUID()}`;
  // A cancel that cannot be said now is said when the connection is back.
  const cancel = () => void socket.cancel(userInputId).catch(() => undefined);
  const account = new AccountWatch(socket, onNews);
  let rootId: string | null = null;
  const request = { userInputId, prompt, history: [...history], agent, model, budget };
  const ended = socket.prompt(withoutUndefined(request), {
    onText: (text) => onEvent({ type: "text", agentId: rootId ?? "a1", text }),
    onSubagentText: ({ agentId, chunk }) => onEvent({ type: "text", agentId, text: chunk }),
    onAgentEvent: (event) => {
      if (event.type === "agent-started") rootId ??= event.agentId;
      onEvent(event);
    },
    onResumed: ({ cut }) => onNews({ type: "resumed", cut }),
    onUsage: (usage) => account.ended(usage),
  });
  signal.addEventListener("abort", cancel, { once: true });
  if (signal.aborted) cancel();
  try {
    const { ended: how, cost } = await ended;
    return { ended: how, cost };
  } finally {
    account.stop();
    signal.removeEventListener("abort", cancel);
  }
}

type Defined<Fields> = { [Name in keyof Fields]: Exclude<Fields[Name], undefined> };

function withoutUndefined<Fields extends object>(fields: Fields): Defined<Fields> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Defined<Fields>;
}
