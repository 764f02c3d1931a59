import { createInterface } from "node:readline";
import type { Context } from "../context.ts";
import { printReport, reportOf } from "../report.ts";
import { textsOf } from "../texts.ts";
import { answerTo, type Session } from "./answer.ts";

/** Question by question until Ctrl-D, or Ctrl-C at the prompt. Ctrl-C during an answer stops that answer; what arrived
 *  of it is billed. A refusal does not end the conversation. */
export async function converse(session: Session, context: Context): Promise<void> {
  const { paint } = context.look();
  process.stderr.write(`${paint.dim(`${session.model}, leave with Ctrl-D`)}\n`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const texts = textsOf(terminal);
  let answering: AbortController | undefined;
  terminal.on("SIGINT", () => (answering === undefined ? terminal.close() : answering.abort()));
  terminal.setPrompt(paint.bold("> "));
  terminal.prompt();
  for await (const text of texts) {
    if (text.trim() !== "") {
      answering = new AbortController();
      await answerOrExplain(session, text, context, answering.signal);
      answering = undefined;
    }
    terminal.prompt();
  }
  process.stderr.write("\n");
}

async function answerOrExplain(
  session: Session,
  text: string,
  context: Context,
  signal: AbortSignal,
): Promise<void> {
  const { length } = session.history;
  try {
    await answerTo(session, text, context, signal);
  } catch (thrown) {
    session.history.length = length;
    if (signal.aborted) process.stderr.write("Stopped. What had arrived is billed.\n");
    else printReport(reportOf(thrown, context), context);
  }
}
