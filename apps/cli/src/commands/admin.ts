import type { Client } from "@bursar/client";
import type { Command } from "commander";
import type { Context, Look } from "../context.ts";
import { printable } from "../output/printable.ts";
import { table } from "../output/table.ts";
import { clockTime } from "../output/time.ts";
import { examples } from "../program.ts";
import { wholeNumber } from "../values.ts";

type Page = Awaited<ReturnType<Client["listAdminActions"]>>;
type Action = Page["actions"][number];

export function admin(command: Command, context: Context): void {
  command.addHelpText(
    "after",
    examples("bursar admin actions", "bursar admin actions --account acct_demo --operation createGrant"),
  );
  listActions(command.command("actions", { isDefault: true }), context);
}

interface ActionsOptions {
  readonly by?: string;
  readonly operation?: string;
  readonly limit: number;
  readonly cursor?: string;
}

function listActions(command: Command, context: Context): void {
  command
    .description(
      "what administrators have done, by whom and why, the latest first; --account for one account",
    )
    .option("--by <who>", "only by them: admin:<key id> or user:<person id>")
    .option("--operation <name>", "only this, such as createGrant")
    .option("--limit <count>", "at most this many", wholeNumber, 20)
    .option("--cursor <cursor>", "go on where the last page ended")
    .addHelpText("after", examples("bursar admin actions --by user_7 --limit 5"))
    .action(async (options: ActionsOptions) => {
      const { client } = await context.connect("admin");
      // Only where it was asked for: the sandbox's own account would hide the others.
      const page = await client.listAdminActions({ accountId: context.flags().account, ...options });
      context.print(page, (look) => actionsText(page, look));
    });
}

export function actionsText({ actions, nextCursor }: Page, { paint }: Look): string {
  const rows = table(
    paint,
    [
      { title: "AT", of: ({ at }) => clockTime(at, "seconds") },
      { title: "BY", of: ({ by, byName }) => printable(byName ?? by) },
      { title: "DID", of: ({ operation }) => printable(operation) },
      { title: "ACCOUNT", of: ({ accountId }) => printable(accountId ?? "-") },
      { title: "WHAT", of: whatOf },
      { title: "ENDED", of: ({ outcome }) => endingOf(outcome, paint) },
      { title: "WHY", of: ({ reason }) => printable(reason ?? "-") },
    ],
    actions,
    "No actions.",
  );
  return nextCursor === null ? rows : `${rows}\n${paint.dim(`Older: --cursor ${nextCursor}`)}`;
}

/** The id that the call named, and the fields that were kept. */
function whatOf({ target, fields, result }: Action): string {
  const parts = Object.entries(fields).map(([name, value]) => `${name}=${plain(value)}`);
  const made = result === null || result === target ? [] : [`→ ${result}`];
  return printable([...(target === null ? [] : [target]), ...parts, ...made].join(" ")) || "-";
}

function plain(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function endingOf(outcome: string | null, paint: Look["paint"]): string {
  if (outcome === null) return paint.yellow("not known");
  return outcome === "done" || outcome === "repeated" ? outcome : paint.red(printable(outcome));
}
