import type { Client } from "@bursar/client";
import type { Command } from "commander";
import type { Context, Look } from "../context.ts";
import { usageFailure } from "../failure.ts";
import { counted } from "../output/amount.ts";
import { printable } from "../output/printable.ts";
import { indent } from "../output/table.ts";
import { both } from "../output/time.ts";
import { examples } from "../program.ts";
import { wholeNumber } from "../values.ts";

type Page = Awaited<ReturnType<Client["listNotices"]>>;
type Notice = Page["notices"][number];

export function notices(command: Command, context: Context): void {
  command.addHelpText(
    "after",
    examples("bursar notices", "bursar notices list --unread", "bursar notices read --all"),
  );
  listNotices(command.command("list", { isDefault: true }), context);
  readNotices(command.command("read"), context);
  deleteNotices(command.command("delete"), context);
}

interface ListOptions {
  readonly unread?: boolean;
  readonly limit: number;
  readonly cursor?: string;
}

function listNotices(command: Command, context: Context): void {
  command
    .description("what the account has been told, newest first")
    .option("--unread", "only what has not been read")
    .option("--limit <count>", "at most this many", wholeNumber, 20)
    .option("--cursor <cursor>", "go on where the last page ended")
    .addHelpText("after", examples("bursar notices list --unread --limit 5"))
    .action(async ({ unread, limit, cursor }: ListOptions) => {
      const { client, account } = await context.connect("account");
      const state = unread === true ? "unread" : "all";
      const answer = await client.listNotices({ ...account, state, limit, cursor });
      context.print(answer, (look) => noticesText(answer, look));
    });
}

/** Unread ones are marked, so that they show without colours, too. */
export function noticesText({ notices: found, unread, nextCursor }: Page, look: Look): string {
  if (found.length === 0) return look.paint.dim(unread === 0 ? "No notices." : "No more notices.");
  const more = nextCursor === null ? "" : `\n${look.paint.dim(`Older: --cursor ${nextCursor}`)}`;
  const shown = found.map((notice) => noticeText(notice, look)).join("\n\n");
  return `${shown}\n\n${counted(unread, "unread notice")}${more}`;
}

function noticeText({ id, kind, title, text, at, readAt }: Notice, { paint, nowMilliseconds }: Look): string {
  const head = `${readAt === null ? "*" : " "} ${paint.bold(printable(title))}`;
  const body = text.split("\n").map(printable).join("\n");
  const foot = paint.dim(`${kind}, ${both(at, nowMilliseconds)}, ${id}`);
  return `${head}\n${indent(`${body}\n${foot}`)}`;
}

interface ReadOptions {
  readonly all?: boolean;
}

function readNotices(command: Command, context: Context): void {
  command
    .description("mark a notice as read, or all of them")
    .argument("[id]", "a notice's id")
    .option("--all", "all of them")
    .addHelpText("after", examples("bursar notices read credit_warning:1f", "bursar notices read --all"))
    .action(async (id: string | undefined, { all }: ReadOptions) => {
      if ((id === undefined) !== (all === true))
        throw usageFailure("Give exactly one of: a notice's id, --all.");
      const { client, account } = await context.connect("account");
      if (id === undefined) {
        const answer = await client.readAllNotices(account);
        context.print(answer, () => `${counted(answer.read, "notice")} marked as read.`);
        return;
      }
      const answer = await client.readNotice(id, account);
      context.print(answer, (look) => noticeText(answer, look));
    });
}

interface DeleteOptions {
  readonly read?: boolean;
}

function deleteNotices(command: Command, context: Context): void {
  command
    .description("delete a notice, or all that have been read")
    .argument("[id]", "a notice's id")
    .option("--read", "all that have been read")
    .addHelpText("after", examples("bursar notices delete credit_warning:1f", "bursar notices delete --read"))
    .action(async (id: string | undefined, { read }: DeleteOptions) => {
      if ((id === undefined) !== (read === true))
        throw usageFailure("Give exactly one of: a notice's id, --read.");
      const { client, account } = await context.connect("account");
      if (id === undefined) {
        const answer = await client.deleteReadNotices(account);
        context.print(answer, () => `${counted(answer.deleted, "notice")} deleted.`);
        return;
      }
      const answer = await client.deleteNotice(id, account);
      context.print(answer, () => `${answer.id} is deleted.`);
    });
}
