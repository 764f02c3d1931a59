import type { Client } from "@bursar/client";
import { type Command, Option } from "commander";
import type { Context, Look } from "../context.ts";
import { amount, count, counted, creditsText } from "../output/amount.ts";
import { table } from "../output/table.ts";
import { clockTime } from "../output/time.ts";
import { examples } from "../program.ts";
import { ago } from "../values.ts";

type Usage = Awaited<ReturnType<Client["getUsage"]>>;

const GROUPS = ["day", "model", "feature", "key"] as const;
type Group = (typeof GROUPS)[number];

interface UsageOptions {
  readonly by: Group;
  readonly from?: string;
  readonly to?: string;
}

export function usage(command: Command, context: Context): void {
  command
    .addOption(new Option("--by <what>", "one line for each").choices(GROUPS).default("day"))
    .option("--from <when>", 'such as "7d" for seven days ago, or "2026-11-01"; default 30d', ago)
    .option("--to <when>", "the same; not included; default now", ago)
    .addHelpText("after", examples("bursar usage --by model", "bursar usage --by day --from 7d"))
    .action(async ({ by, from, to }: UsageOptions) => {
      const { client, account } = await context.connect("account");
      const answer = await client.getUsage({ ...account, groupBy: by, from, to });
      context.print(answer, (look) => usageText(answer, by, look));
    });
}

export function usageText({ from, to, total, groups }: Usage, by: Group, { paint }: Look): string {
  const lines = table(
    paint,
    [
      { title: by.toUpperCase(), of: (group) => group.group || "-" },
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
