import { statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, resolve } from "node:path";
import type { Command } from "commander";
import { BandWatch } from "../agent/bands.ts";
import { converseWithAgent } from "../agent/interactive.ts";
import { type AgentSession, runPrompt } from "../agent/session.ts";
import { connectAgent } from "../agent/socket-transport.ts";
import type { AgentEnd } from "../agent/transport.ts";
import { readMessage } from "../chat/message.ts";
import type { Context } from "../context.ts";
import { usageFailure } from "../failure.ts";
import { examples } from "../program.ts";

interface AgentOptions {
  readonly agent?: string;
  readonly model?: string;
  readonly budget?: string;
  readonly folder?: string;
  readonly yes?: boolean;
  readonly allow?: readonly string[];
}

export function agent(command: Command, context: Context): void {
  command
    .argument("[task]", "what to do; without it a conversation begins, or stdin is read")
    .option("--model <name>", "default: the server's")
    .option("--agent <name>", "coder or reviewer; default: coder")
    .option("--budget <credits>", "what a task may cost at most")
    .option("--folder <path>", "the project; default: this folder. Nothing outside it is touched")
    .option("--yes", "run commands and hooks without asking; secrets stay closed")
    .option(
      "--allow <command>",
      "a command that needs no question; * stands for simple words; repeatable",
      collect,
    )
    .addHelpText(
      "after",
      `${examples(
        'bursar agent "The test in sum.test.ts fails. Make it pass."',
        'bursar agent --allow "npm test" --budget 20 "Add a changelog entry"',
        'echo "Explain src/main.ts" | bursar agent --json',
      )}\n\nWhat the agent says goes to stdout, everything else to stderr. Esc cancels; bursar undo takes changes back.`,
    )
    .action(async (given: string | undefined, options: AgentOptions) => {
      const isConversation = given === undefined && process.stdin.isTTY && !context.isJson();
      const task = isConversation
        ? ""
        : await readMessage(given, 'bursar agent "The test in sum.test.ts fails."');
      const session = await openSession(options, context);
      try {
        if (isConversation) await converseWithAgent(session, context);
        else conclude(await runPrompt(session, task, context), context);
      } finally {
        session.transport.close();
      }
    });
}

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

/** Not by mistake on everything that somebody has. */
function folderOf(named: string | undefined, { folder, environment }: Context): string {
  if (named !== undefined) return existing(resolve(folder, named));
  const home = environment["HOME"] || homedir();
  if (dirname(folder) !== folder && resolve(folder) !== resolve(home)) return folder;
  throw usageFailure(
    `The agent works on a project, and ${folder} is everything.`,
    "Go to the project's folder, or name it with --folder.",
  );
}

function existing(path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return path;
  throw usageFailure(`--folder must be a folder that is there, not ${path}.`);
}

async function openSession(options: AgentOptions, context: Context): Promise<AgentSession> {
  const { yes = false, allow = [], agent, model, budget } = options;
  if (budget !== undefined && !/^\d{1,13}(\.\d{1,6})?$/.test(budget))
    throw usageFailure(`--budget must be credits, such as 20 or 2.5, not ${JSON.stringify(budget)}.`);
  const folder = folderOf(options.folder, context);
  const { paint } = context.look(process.stderr);
  const transport = await connectAgent(context);
  const bands = new BandWatch();
  const band = bands.take(transport.balance, paint);
  if (band !== null && !context.isJson()) process.stderr.write(`${band}\n`);
  return {
    ...{ agent, model, budget, bands },
    transport,
    folder,
    rules: { isYes: yes, allowed: allow, remembered: new Set() },
    history: [],
  };
}

function conclude({ ended, cost }: AgentEnd, context: Context): void {
  if (context.isJson()) process.stdout.write(`${JSON.stringify({ type: "end", ended, cost })}\n`);
  if (ended === "cancelled") context.conclude("interrupted");
  else if (ended !== "complete") context.conclude("refused");
}
