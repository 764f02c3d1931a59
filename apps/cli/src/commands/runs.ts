import type { Client } from "@bursar/client";
import type { Command } from "commander";
import type { Context, Look } from "../context.ts";
import { amount, counted, creditsText } from "../output/amount.ts";
import { facts, table } from "../output/table.ts";
import { clockTime, expiry } from "../output/time.ts";
import { examples } from "../program.ts";
import { wholeNumber } from "../values.ts";

type Run = Awaited<ReturnType<Client["listRuns"]>>["runs"][number];

export function runs(command: Command, context: Context): void {
  command.addHelpText(
    "after",
    examples(
      "bursar runs start 20 --id nightly --ttl 7200",
      "bursar runs show nightly",
      "bursar runs end nightly",
    ),
  );
  listRuns(command.command("list", { isDefault: true }), context);
  startRun(command.command("start"), context);
  showRun(command.command("show"), context);
  endRun(command.command("end"), context);
}

function listRuns(command: Command, context: Context): void {
  command
    .description("the open runs, and what is left of their budgets")
    .addHelpText("after", examples("bursar runs list"))
    .action(async () => {
      const { client, account } = await context.connect("account");
      const answer = await client.listRuns(account);
      context.print(answer, ({ paint, nowMilliseconds }) =>
        table(
          paint,
          [
            { title: "RUN", of: ({ id }) => id },
            { title: "BUDGET", align: "decimal", of: ({ budget }) => amount(budget) },
            { title: "SPENT", align: "decimal", of: ({ spent }) => amount(spent) },
            { title: "HELD", align: "decimal", of: ({ held }) => amount(held) },
            { title: "LEFT", align: "decimal", of: ({ left }) => amount(left) },
            { title: "ENDS", of: ({ expiresAt }) => expiry(expiresAt, nowMilliseconds) },
          ],
          answer.runs,
          "No open runs.",
        ),
      );
    });
}

interface StartOptions {
  readonly id?: string;
  readonly ttl?: number;
  readonly feature?: string;
}

function startRun(command: Command, context: Context): void {
  command
    .description("set a budget aside, which a tree of agents cannot exceed")
    .argument("<budget>", "credits")
    .option("--id <id>", "your id for the run")
    .option("--ttl <seconds>", "after that it ends by itself; default 3600", wholeNumber)
    .option("--feature <name>", "the feature the work is for")
    .addHelpText("after", examples("bursar runs start 20 --id nightly --ttl 7200"))
    .action(async (budget: string, { ttl, ...options }: StartOptions) => {
      const { client, account } = await context.connect("account");
      const answer = await client.createRun({ ...account, budget, ttlSeconds: ttl, ...options });
      context.print(
        answer,
        (look) =>
          `${runText(answer, look)}\n\nCalls of models draw from it with the header x-bursar-run: ${answer.id}, holds with the parent ${answer.holdId}.`,
      );
    });
}

function runText(run: Run, { paint, nowMilliseconds }: Look): string {
  const { state, endedAt, endedBy } = run;
  return facts(paint, [
    ["Run", paint.bold(run.id)],
    ["State", state === "open" ? state : `${state} ${clockTime(endedAt ?? "")} by ${endedBy}`],
    ["Budget", creditsText(run.budget)],
    ["Spent", creditsText(run.spent)],
    ["Held", `${creditsText(run.held)} by ${counted(run.children, "hold")}`],
    ["Left", creditsText(run.left)],
    ["Ends", state === "open" ? expiry(run.expiresAt, nowMilliseconds) : null],
  ]);
}

function showRun(command: Command, context: Context): void {
  command
    .description("what a run has spent, holds and has left")
    .argument("<run id>", "the run")
    .addHelpText("after", examples("bursar runs show nightly"))
    .action(async (id: string) => {
      const { client, account } = await context.connect("account");
      const answer = await client.getRun(id, account);
      context.print(answer, (look) => runText(answer, look));
    });
}

function endRun(command: Command, context: Context): void {
  command
    .description("end a run at once, and everything that draws from it")
    .argument("<run id>", "the run")
    .addHelpText("after", examples("bursar runs end nightly"))
    .action(async (id: string) => {
      const { client, account } = await context.connect("account");
      const answer = await client.endRun(id, account);
      context.print(answer, (look) => runText(answer, look));
    });
}
