import type { Client } from "@bursar/client";
import type { Command } from "commander";
import type { Context, Look } from "../context.ts";
import { amount, count } from "../output/amount.ts";
import { facts } from "../output/table.ts";
import { examples } from "../program.ts";
import { addWorkOptions, askForOne, type WorkOptions } from "./work.ts";

type Verdict = Awaited<ReturnType<Client["check"]>>;

export function check(command: Command, context: Context): void {
  addWorkOptions(command)
    .argument("[amount]", "credits, such as 2.5; or leave it out and name a model")
    .option("--feature <name>", "the feature the work is for")
    .addHelpText(
      "after",
      `${examples("bursar check 5", "bursar check --model sandbox-small --input-tokens 2000 --max-output-tokens 500")}\n\nThe exit code is 0 when it is allowed, and 1 when not.`,
    )
    .action(async (credits: string | undefined, options: WorkOptions & { feature?: string }) => {
      askForOne(credits, options.model, "--input-tokens and --max-output-tokens");
      const { client, account } = await context.connect("account");
      const answer = await client.check({ ...account, amount: credits, ...options });
      context.print(answer, (look) => verdictText(answer, look));
      if (!answer.allowed) context.conclude("refused");
    });
}

export function verdictText(verdict: Verdict, { paint }: Look): string {
  const { allowed, reason, available, missing, affordable } = verdict;
  const title = allowed ? paint.green("allowed") : `${paint.red("denied")}: ${reason ?? "unknown"}`;
  const lines = facts(paint, [
    ["would cost", verdict.amount === null ? null : amount(verdict.amount)],
    ["available", amount(available)],
    ["missing", allowed ? null : amount(missing)],
    [
      "affordable output",
      affordable.maxOutputTokens === null ? null : `${count(affordable.maxOutputTokens)} tokens`,
    ],
    ["a model that fits", affordable.model ?? null],
  ]);
  return `${title}\n${lines}`;
}
