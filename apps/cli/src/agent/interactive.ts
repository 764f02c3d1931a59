import { createInterface } from "node:readline";
import type { Context } from "../context.ts";
import { printReport, reportOf } from "../report.ts";
import { textsOf } from "../texts.ts";
import { type AgentSession, runPrompt } from "./session.ts";
import { openPromptHistory, type PromptHistory } from "./state.ts";

/** Prompt by prompt until Ctrl-D, or Ctrl-C at the prompt. A refusal does not end the conversation. */
export async function converseWithAgent(session: AgentSession, context: Context): Promise<void> {
  const { paint } = context.look(process.stderr);
  const history = openPromptHistory(context.environment);
  process.stderr.write(
    `${paint.dim(`In ${session.folder}. Esc cancels a run, Ctrl-D leaves, bursar undo takes changes back.`)}\n`,
  );
  const asked: string[] = [...history.lines];
  for (;;) {
    const line = await readPrompt(asked, paint.bold("agent> "));
    if (line === null) break;
    if (line.trim() === "") continue;
    remember(history, asked, line);
    await runOrExplain(session, line, context);
  }
  process.stderr.write("\n");
}

async function runOrExplain(session: AgentSession, line: string, context: Context): Promise<void> {
  try {
    await runPrompt(session, line, context);
  } catch (thrown) {
    printReport(reportOf(thrown, context), context);
  }
}

/** The history has a line for each. */
function remember(history: PromptHistory, asked: string[], text: string): void {
  const line = text.replaceAll("\n", " ");
  if (asked[0] !== line) asked.unshift(line);
  history.add(line);
}

/** null at the end. A new reader each time: between two prompts the keyboard belongs to the run. */
async function readPrompt(history: string[], prompt: string): Promise<string | null> {
  const reader = createInterface({
    ...{ input: process.stdin, output: process.stderr, terminal: true },
    ...{ history: [...history], historySize: 500, removeHistoryDuplicates: true },
  });
  const texts = textsOf(reader);
  reader.on("SIGINT", () => reader.close());
  reader.setPrompt(prompt);
  reader.prompt();
  const { value } = await texts.next();
  reader.close();
  return value ?? null;
}
