import { createProjectTools } from "@bursar/client/agent/project-tools";
import type { ClientTools } from "@bursar/contract/agent/client-tools";
import type { AgentEvent } from "@bursar/contract/agent/events";
import type { Context } from "../context.ts";
import { EXIT } from "../exit.ts";
import { type ApprovalRules, createApprove } from "./approvals.ts";
import { BandWatch } from "./bands.ts";
import { type Keyboard, openKeyboard } from "./keys.ts";
import { type Out, Screen } from "./screen.ts";
import { journalOf, newRunName } from "./state.ts";
import { openStopping } from "./stopping.ts";
import type { AccountNews, AgentEnd, AgentTransport, Said } from "./transport.ts";

/** A conversation with an agent that works in a folder. */
export interface AgentSession {
  readonly transport: AgentTransport;
  readonly folder: string;
  readonly rules: ApprovalRules;
  readonly agent: string | undefined;
  readonly model: string | undefined;
  readonly budget: string | undefined;
  readonly history: Said[];
  readonly bands: BandWatch;
}

/** Runs one prompt to its end, shows it, and keeps what was said. Esc and Ctrl-C cancel it; so does whoever tells this
 *  process to end, which it then does. Throws: what the transport throws, and that it was left. */
export async function runPrompt(session: AgentSession, prompt: string, context: Context): Promise<AgentEnd> {
  const { transport, agent, model, budget, history } = session;
  const ended = new AbortController();
  const { paint } = context.look(process.stderr);
  const screen = new Screen(context.isJson() ? silent : OUT, paint, session.bands);
  using stopping = openStopping((text) => screen.say(paint.yellow(text)));
  const keyboard = takeKeyboard(context, () => stopping.stop());
  const answer: Answer = { text: "", kept: 0 };
  const listener = {
    // Whatever still runs here when the run has ended is nobody's any more.
    tools: during(
      AbortSignal.any([stopping.signal, ended.signal]),
      toolsOf(session, context, screen, keyboard),
    ),
    onEvent: (event: AgentEvent) => {
      if (context.isJson()) process.stdout.write(`${JSON.stringify(event)}\n`);
      else screen.show(event);
      keep(answer, event);
    },
    onLost: () => screen.say(paint.yellow("The connection is lost; the run goes on, and it is tried again.")),
    onNews: (news: AccountNews) => {
      if (context.isJson()) process.stdout.write(`${JSON.stringify(news)}\n`);
      else screen.tell(news);
      // What was said of a step that was cut is said again.
      if (news.type === "resumed") answer.text = answer.text.slice(0, answer.kept);
    },
  };
  try {
    const request = { prompt, agent, model, budget, history: fitting(history) };
    const end = await Promise.race([transport.run(request, listener, stopping.signal), stopping.left]);
    history.push(
      { role: "user", content: prompt },
      { role: "assistant", content: answer.text || "(nothing)" },
    );
    return end;
  } finally {
    ended.abort();
    keyboard?.close();
    if (stopping.isTold) process.exit(EXIT.interrupted);
  }
}

/** The project's tools: they ask at this keyboard, show on this screen, and keep what they change. */
function toolsOf(
  { folder, rules }: AgentSession,
  context: Context,
  screen: Screen,
  keyboard: Keyboard | null,
): ClientTools {
  const { environment } = context;
  const { paint } = context.look(process.stderr);
  const journal = journalOf(environment, folder);
  const runName = newRunName(Date.now());
  return createProjectTools({
    ...{ folder, environment },
    approve: createApprove(rules, keyboard, (text) => screen.say(text), paint),
    beforeChange: (change) => journal.record(runName, change, new Date().toISOString()),
    onChange: (change, hunks) => screen.changed(change, hunks),
  });
}

/** The same tools, as long as the signal is not aborted. */
function during(signal: AbortSignal, tools: ClientTools): ClientTools {
  return { call: (call) => tools.call({ ...call, signal: AbortSignal.any([call.signal, signal]) }) };
}

interface Answer {
  text: string;
  /** So much of it is of steps that have ended. */
  kept: number;
  rootId?: string;
}

/** The first agent's words; an earlier step's are part of the answer, too. */
function keep(answer: Answer, event: AgentEvent): void {
  if (event.type === "agent-started") answer.rootId ??= event.agentId;
  if (event.type === "step-cost" && event.agentId === answer.rootId) answer.kept = answer.text.length;
  if (event.type === "text" && event.agentId === answer.rootId) answer.text += event.text;
}

function takeKeyboard(context: Context, onCancel: () => void): Keyboard | null {
  const { stdin, stderr } = process;
  if (!stdin.isTTY || !stderr.isTTY || context.isJson()) return null;
  return openKeyboard(stdin, onCancel);
}

const OUT: Out = {
  answer: (text) => void process.stdout.write(text),
  remark: (text) => void process.stderr.write(text),
};
const silent: Out = { answer: () => undefined, remark: () => undefined };

/** A message to the server has a longest length: the newest of what was said goes with it. */
const HISTORY_CHARACTERS = 12_000;

export function fitting(history: readonly Said[]): Said[] {
  const kept: Said[] = [];
  let room = HISTORY_CHARACTERS;
  for (const { role, content } of history.toReversed()) {
    if (room <= 0) break;
    const part = content.length <= room ? content : `${content.slice(0, room)}…`;
    kept.unshift({ role, content: part });
    room -= part.length;
  }
  return kept;
}
