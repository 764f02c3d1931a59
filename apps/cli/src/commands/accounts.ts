import type { Client } from "@bursar/client";
import type { Command } from "commander";
import { pictureOf } from "../account/picture.ts";
import { pictureText } from "../account/picture-text.ts";
import { collect } from "../collect.ts";
import type { Context, Look } from "../context.ts";
import { amount, creditsText } from "../output/amount.ts";
import { printable } from "../output/printable.ts";
import { table } from "../output/table.ts";
import { clockTime } from "../output/time.ts";
import { examples } from "../program.ts";
import { wholeNumber } from "../values.ts";

type Account = Awaited<ReturnType<Client["getAccount"]>>;

export function accounts(command: Command, context: Context): void {
  command.addHelpText(
    "after",
    examples(
      "bursar accounts",
      "bursar accounts find ada@example.com",
      "bursar accounts show acct_demo",
      'bursar accounts create "Acme"',
    ),
  );
  listAccounts(command.command("list", { isDefault: true }), context);
  findAccounts(command.command("find"), context);
  createAccount(command.command("create"), context);
  showAccount(command.command("show"), context);
  stopAccount(command.command("freeze"), context, "freezeAccount");
  stopAccount(command.command("unfreeze"), context, "unfreezeAccount");
  adjustAccount(command.command("adjust"), context);
}

function listAccounts(command: Command, context: Context): void {
  command
    .description("all accounts")
    .addHelpText("after", examples("bursar accounts list"))
    .action(async () => {
      const { client } = await context.connect("admin");
      const found = await collect(client.everyAccount());
      context.print({ accounts: found, nextCursor: null }, (look) => accountsText(found, look));
    });
}

function findAccounts(command: Command, context: Context): void {
  command
    .description("the accounts that a text belongs to: part of a name, id, username or e-mail")
    .argument("<text>", "at least 3 characters; fewer must be the beginning")
    .option("--limit <count>", "at most this many", wholeNumber, 20)
    .option("--cursor <cursor>", "go on where the last page ended")
    .addHelpText("after", examples("bursar accounts find ada", "bursar accounts find @example.com --json"))
    .action(async (search: string, options: { limit: number; cursor?: string }) => {
      const { client } = await context.connect("admin");
      const page = await client.listAccounts({ search, ...options });
      context.print(page, (look) => {
        const more =
          page.nextCursor === null ? "" : `\n${look.paint.dim(`More: --cursor ${page.nextCursor}`)}`;
        return `${accountsText(page.accounts, look, "No account has that in a name, id, username or e-mail.")}${more}`;
      });
    });
}

export function accountsText(
  found: readonly Account[],
  { paint }: Look,
  nothing = 'No accounts. Create one: bursar accounts create "Acme"',
): string {
  return table(
    paint,
    [
      { title: "ACCOUNT", of: (account) => account.id },
      { title: "NAME", of: (account) => printable(account.name) },
      { title: "OWNER", of: ownerOf },
      { title: "AVAILABLE", align: "decimal", of: (account) => amount(account.available) },
      { title: "HELD", align: "decimal", of: (account) => amount(account.held) },
      { title: "OWED", align: "decimal", of: (account) => amount(account.owed) },
      { title: "STATE", of: (account) => (account.frozen ? paint.red("frozen") : "open") },
      { title: "SINCE", of: (account) => clockTime(account.createdAt) },
    ],
    found,
    nothing,
  );
}

function ownerOf({ owner }: Account): string {
  if (owner === null) return "-";
  return printable(owner.email ?? owner.username ?? owner.name);
}

function createAccount(command: Command, context: Context): void {
  command
    .description("create an account")
    .argument("<name>", "for people")
    .option("--id <id>", "your id for it: then the call can be repeated")
    .option("--alert-below <amount>", "report in the log when the balance falls below")
    .addHelpText("after", examples('bursar accounts create "Acme" --id acct_acme'))
    .action(async (name: string, options: { id?: string; alertBelow?: string }) => {
      const { client } = await context.connect("admin");
      const answer = await client.createAccount({ name, ...options });
      context.print(
        answer,
        ({ paint }) =>
          `Created ${paint.bold(answer.id)} (${answer.name}). Its first key: bursar keys create --account ${answer.id}`,
      );
    });
}

function showAccount(command: Command, context: Context): void {
  command
    .description(
      "one account whole: balance, quota, subscription, entries, receipts, payments, attempts, actions",
    )
    .argument("[id]", "the account; default: the one of --account, or the sandbox's")
    .addHelpText("after", examples("bursar accounts show acct_demo"))
    .action(async (id: string | undefined) => {
      const { client, requireAccount } = await context.connect("admin");
      const picture = await pictureOf(client, id ?? requireAccount());
      context.print(picture, (look) => pictureText(picture, look));
    });
}

const STOPS = {
  freezeAccount: {
    description: "stop an account: nothing new is held or spent",
    example: "freeze acct_demo --reason",
  },
  unfreezeAccount: { description: "let a frozen account go on", example: "unfreeze acct_demo --reason" },
} as const;

function stopAccount(command: Command, context: Context, call: keyof typeof STOPS): void {
  command
    .description(STOPS[call].description)
    .argument("<id>", "the account")
    .requiredOption("--reason <text>", "why, for people")
    .option("--id <id>", "your id for it")
    .addHelpText("after", examples(`bursar accounts ${STOPS[call].example} "as agreed by phone"`))
    .action(async (id: string, options: { reason: string; id?: string }) => {
      const { client } = await context.connect("admin");
      const answer = await client[call](id, options);
      context.print(answer, () => `${answer.id} is ${answer.frozen ? "frozen" : "open"} now.`);
    });
}

function adjustAccount(command: Command, context: Context): void {
  command
    .description("correct a balance; a negative amount takes from what is available, and no more")
    .argument("<amount>", "credits, such as 5 or -5")
    .requiredOption("--reason <text>", "why, for people")
    .option("--id <id>", "your id for it: the same id is done once, however often it is sent")
    .addHelpText("after", examples('bursar accounts adjust -5 --account acct_demo --reason "counted twice"'))
    .action(async (credits: string, options: { reason: string; id?: string }) => {
      const { client, requireAccount } = await context.connect("admin");
      const accountId = requireAccount();
      const answer = await client.createAdjustment({ accountId, amount: credits, ...options });
      context.print(
        answer,
        () =>
          `Adjusted ${accountId} by ${creditsText(answer.amount)}; ${creditsText(answer.available)} available.`,
      );
    });
}
