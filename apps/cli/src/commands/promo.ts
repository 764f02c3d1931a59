import type { Client } from "@bursar/client";
import type { Command } from "commander";
import type { Context, Look } from "../context.ts";
import { amount, counted, creditsText } from "../output/amount.ts";
import { table } from "../output/table.ts";
import { expiry, lasting } from "../output/time.ts";
import { examples } from "../program.ts";
import { ahead, type Moment, wholeNumber } from "../values.ts";

type Promo = Awaited<ReturnType<Client["listPromoCodes"]>>["promos"][number];

export function promo(command: Command, context: Context): void {
  command.addHelpText(
    "after",
    examples("bursar promo redeem WELCOME", "bursar promo create WELCOME 10 --limit 500 --expires 30d"),
  );
  redeemCode(command.command("redeem"), context);
  createCode(command.command("create"), context);
  listCodes(command.command("list"), context);
  disableCode(command.command("disable"), context);
}

function redeemCode(command: Command, context: Context): void {
  command
    .description("get the credits of a promo code, once an account")
    .argument("<code>", "the code")
    .addHelpText("after", examples("bursar promo redeem WELCOME"))
    .action(async (code: string) => {
      const { client, account } = await context.connect("account");
      const answer = await client.redeemPromoCode({ ...account, code });
      context.print(
        answer,
        ({ nowMilliseconds }) =>
          `${creditsText(answer.amount)} from ${answer.code}, as ${answer.grantId}; they ${lasting(answer.expiresAt, nowMilliseconds)}.`,
      );
    });
}

interface CreateOptions {
  readonly limit?: number;
  readonly minimum?: string;
  readonly expires?: Moment;
  readonly lastDays?: number;
}

function createCode(command: Command, context: Context): void {
  command
    .description("make a promo code; its terms never change")
    .argument("<code>", "3 to 40 letters, digits or dashes")
    .argument("<amount>", "credits for each account")
    .option("--limit <number>", "how many accounts may redeem it; default any number", wholeNumber)
    .option("--minimum <amount>", "credits that an account must have bought before")
    .option("--expires <when>", 'until when it can be redeemed: "30d", "2027-01-31"; default never', ahead)
    .option("--last-days <number>", "days until its credits expire; default never", wholeNumber)
    .addHelpText("after", examples("bursar promo create WELCOME 10 --limit 500 --expires 30d --last-days 90"))
    .action(async (code: string, each: string, options: CreateOptions) => {
      const { client } = await context.connect("admin");
      const { limit, minimum, expires, lastDays } = options;
      const terms = {
        limit,
        minimumPurchased: minimum,
        expiresAt: await context.instant(expires),
        creditsLastDays: lastDays,
      };
      const answer = await client.createPromoCode({ code, amount: each, ...terms });
      context.print(answer, (look) => promosText([answer], look));
    });
}

function listCodes(command: Command, context: Context): void {
  command
    .description("the codes, and how often each was redeemed")
    .addHelpText("after", examples("bursar promo list"))
    .action(async () => {
      const { client } = await context.connect("admin");
      const answer = await client.listPromoCodes();
      context.print(answer, (look) => promosText(answer.promos, look));
    });
}

function disableCode(command: Command, context: Context): void {
  command
    .description("end a code; what was redeemed stays")
    .argument("<code>", "the code")
    .addHelpText("after", examples("bursar promo disable WELCOME"))
    .action(async (code: string) => {
      const { client } = await context.connect("admin");
      const answer = await client.disablePromoCode(code);
      context.print(
        answer,
        () => `${answer.code} is disabled; it was redeemed ${counted(answer.redeemed, "time")}.`,
      );
    });
}

function promosText(promos: readonly Promo[], { paint, nowMilliseconds }: Look): string {
  return table(
    paint,
    [
      { title: "CODE", of: ({ code }) => code },
      { title: "CREDITS", align: "decimal", of: (promo) => amount(promo.amount) },
      { title: "REDEEMED", of: ({ redeemed, limit }) => `${redeemed} of ${limit ?? "any number"}` },
      { title: "MINIMUM", align: "decimal", of: ({ minimumPurchased }) => amount(minimumPurchased) },
      {
        title: "EXPIRES",
        of: ({ expiresAt, disabledAt }) =>
          disabledAt === null ? expiry(expiresAt, nowMilliseconds) : paint.red("disabled"),
      },
    ],
    promos,
    "No promo codes.",
  );
}
