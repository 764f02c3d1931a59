import type { Client } from "@bursar/client";
import { csvLine } from "@bursar/contract/csv";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Context, Look } from "../context.ts";
import { usageFailure } from "../failure.ts";
import { amount, count, counted, creditsText } from "../output/amount.ts";
import { table } from "../output/table.ts";
import { clockTime } from "../output/time.ts";
import { written } from "../output/written.ts";
import { defaultSubcommand, examples } from "../program.ts";
import { ago, type Moment } from "../values.ts";

type Usage = Awaited<ReturnType<Client["getUsage"]>>;

const GROUPS = ["day", "month", "model", "feature", "key", "member"] as const;
type Group = (typeof GROUPS)[number];

export function usage(command: Command, context: Context): void {
  defaultSubcommand(
    command,
    showUsage(command.command("show", { isDefault: true }), context),
    examples(
      "bursar usage --by model",
      "bursar usage show --by day --from 7d",
      "bursar usage --by member --account acct_org_acme",
      "bursar usage --by month --from 365d --csv",
    ),
  );
  exportUsage(command.command("export"), context);
}

interface ShowOptions {
  readonly by: Group;
  readonly from?: Moment;
  readonly to?: Moment;
  readonly csv?: boolean;
}

function showUsage(command: Command, context: Context): Command {
  return command
    .description("sums of what AI work used and cost")
    .addOption(new Option("--by <what>", "one line for each").choices(GROUPS).default("day"))
    .option("--from <when>", 'such as "7d" for seven days ago, or "2026-11-01"; default 30d', ago)
    .option("--to <when>", "the same; not included; default now", ago)
    .option("--csv", "for a spreadsheet")
    .action(async ({ by, from, to, csv }: ShowOptions) => {
      if (csv === true && context.isJson()) throw usageFailure("Give one of --csv and --json.");
      const { client, account } = await context.connect("account");
      const span = { from: await context.instant(from), to: await context.instant(to) };
      const answer = await client.getUsage({ ...account, groupBy: by, ...span });
      if (csv === true) process.stdout.write(usageCsv(answer, by));
      else context.print(answer, (look) => usageText(answer, by, look));
    });
}

function month(text: string): string {
  if (/^2\d{3}-(0[1-9]|1[0-2])$/.test(text)) return text;
  throw new InvalidArgumentError("It must be a month, such as 2026-11.");
}

function exportUsage(command: Command, context: Context): void {
  command
    .description("every charge for AI work of a month (UTC), as CSV, or with --json as JSON")
    .argument("<month>", "such as 2026-11", month)
    .addHelpText("after", examples("bursar usage export 2026-11 > usage.csv"))
    .action(async (wanted: string) => {
      const { client, account } = await context.connect("account");
      if (context.isJson()) {
        const answer = await client.exportUsage({ ...account, month: wanted });
        context.print(answer, () => "");
        return;
      }
      for await (const part of client.usageCsv({ ...account, month: wanted })) await written(part);
    });
}

export function usageCsv({ groups }: Usage, by: Group): string {
  const named = by === "member" ? ["name"] : [];
  const titles = [by, "credits", "requests", "inputTokens", "cachedInputTokens", "outputTokens", ...named];
  const lines = groups.map((group) => [
    group.group,
    group.amount,
    group.requests,
    group.inputTokens,
    group.cachedInputTokens,
    group.outputTokens,
    ...(by === "member" ? [group.name ?? ""] : []),
  ]);
  return [titles, ...lines].map(csvLine).join("");
}

export function usageText({ from, to, total, groups }: Usage, by: Group, { paint }: Look): string {
  const lines = table(
    paint,
    [
      { title: by.toUpperCase(), of: (group) => group.name ?? (group.group || "-") },
      { title: "CREDITS", align: "decimal", of: (group) => amount(group.amount) },
      { title: "REQUESTS", align: "decimal", of: (group) => count(group.requests) },
      { title: "INPUT", align: "decimal", of: (group) => count(group.inputTokens) },
      { title: "CACHED", align: "decimal", of: (group) => count(group.cachedInputTokens) },
      { title: "OUTPUT", align: "decimal", of: (group) => count(group.outputTokens) },
    ],
    groups,
    "Nothing was used.",
  );
  const sum = `${paint.bold(creditsText(total.amount))} for ${counted(total.requests, "request")}`;
  return `${sum}, ${clockTime(from)} to ${clockTime(to)}\n\n${lines}`;
}
