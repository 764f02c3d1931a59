import type { Client } from "@bursar/client";
import type { Command } from "commander";
import { collect } from "../collect.ts";
import type { Context, Look } from "../context.ts";
import { amount } from "../output/amount.ts";
import { printable } from "../output/printable.ts";
import { type Column, table } from "../output/table.ts";
import { clockTime } from "../output/time.ts";
import { examples } from "../program.ts";
import { wholeNumber } from "../values.ts";

type Page = Awaited<ReturnType<Client["listEntries"]>>;

interface EntriesOptions {
  readonly limit: number;
  readonly cursor?: string;
  readonly all?: boolean;
}

export function entries(command: Command, context: Context): void {
  command
    .option("--limit <count>", "at most this many", wholeNumber, 20)
    .option("--cursor <cursor>", "go on where the last page ended")
    .option("--all", "the whole ledger")
    .addHelpText("after", examples("bursar entries --limit 5", "bursar entries --all --json"))
    .action(async ({ limit, cursor, all }: EntriesOptions) => {
      const { client, account } = await context.connect("account");
      const answer =
        all === true
          ? await everything(client.everyEntry(account))
          : await client.listEntries({ ...account, limit, cursor });
      context.print(answer, (look) => entriesText(answer, look));
    });
}

async function everything(entries: ReturnType<Client["everyEntry"]>): Promise<Page> {
  return { entries: await collect(entries), nextCursor: null };
}

type Entry = Page["entries"][number];

/** Who and why, where somebody has said why: for most pages these columns would be as good as empty. */
function noteColumns(entries: readonly Entry[]): Column<Entry>[] {
  if (entries.every(({ note }) => note === null || note === undefined)) return [];
  return [
    { title: "BY", of: ({ by }) => printable(by) },
    { title: "WHY", of: ({ note }) => printable(note ?? "-") },
  ];
}

export function entriesText({ entries, nextCursor }: Page, { paint }: Look): string {
  const lines = table(
    paint,
    [
      { title: "SEQ", align: "decimal", of: (entry) => String(entry.seq) },
      { title: "KIND", of: (entry) => entry.kind },
      { title: "AMOUNT", align: "decimal", of: (entry) => amount(entry.amount) },
      { title: "AVAILABLE", align: "decimal", of: (entry) => amount(entry.availableAfter) },
      { title: "HELD", align: "decimal", of: (entry) => amount(entry.heldAfter) },
      { title: "OWED", align: "decimal", of: (entry) => amount(entry.owedAfter) },
      { title: "AT", of: (entry) => clockTime(entry.at, "seconds") },
      { title: "FEATURE", of: (entry) => entry.feature ?? "-" },
      { title: "REFERENCE", of: (entry) => entry.reference },
      ...noteColumns(entries),
    ],
    entries,
    "No entries.",
  );
  if (nextCursor === null) return lines;
  return `${lines}\n\n${paint.dim(`Older ones: bursar entries --cursor ${nextCursor}, or --all`)}`;
}
