import type { Client } from "@bursar/client";
import type { Command } from "commander";
import type { Context, Look } from "../context.ts";
import { usageFailure } from "../failure.ts";
import { printable } from "../output/printable.ts";
import { facts, table } from "../output/table.ts";
import { clockTime } from "../output/time.ts";
import { examples } from "../program.ts";

type Summary = Awaited<ReturnType<Client["listMail"]>>["mails"][number];
type Whole = Awaited<ReturnType<Client["getMail"]>>;

interface MailOptions {
  readonly to?: string;
  readonly clear?: boolean;
}

export function mail(command: Command, context: Context): void {
  command
    .argument("[id]", "a mail's id, to read it; without one, all are listed, newest first")
    .option("--to <address>", "list only what went to this address")
    .option("--clear", "empty the mailbox")
    .addHelpText(
      "after",
      examples(
        "bursar mail",
        "bursar mail --to ada@sandbox.test",
        "bursar mail mail_1",
        "bursar mail --clear",
      ),
    )
    .action((id: string | undefined, options: MailOptions) => perform(context, id, options));
}

async function perform(context: Context, id: string | undefined, { to, clear }: MailOptions): Promise<void> {
  if ([id, to, clear].filter((given) => given !== undefined).length > 1)
    throw usageFailure("Give one of: a mail's id, --to, --clear.");
  const { client } = await context.connect("admin");
  if (clear === true) {
    const answer = await client.clearMail();
    context.print(answer, () => "The mailbox is empty.");
    return;
  }
  if (id === undefined) {
    const answer = await client.listMail(to === undefined ? {} : { to });
    context.print(answer, (look) => listText(answer.mails, look));
    return;
  }
  const answer = await client.getMail(id);
  context.print(answer, (look) => mailText(answer, look));
}

export function listText(mails: readonly Summary[], { paint }: Look): string {
  return table(
    paint,
    [
      { title: "MAIL", of: ({ id }) => id },
      { title: "RECEIVED", of: ({ receivedAt }) => clockTime(receivedAt) },
      { title: "TO", of: ({ to }) => printable(to.join(", ")) },
      { title: "SUBJECT", of: ({ subject }) => printable(subject) },
    ],
    mails,
    "No mail yet.",
  );
}

export function mailText({ from, to, receivedAt, subject, text }: Whole, { paint }: Look): string {
  const head = facts(paint, [
    ["From", printable(from)],
    ["To", printable(to.join(", "))],
    ["Received", clockTime(receivedAt, "seconds")],
    ["Subject", printable(subject)],
  ]);
  const body = text.split("\n").map(printable).join("\n").trimEnd();
  return `${head}\n\n${body}`;
}
