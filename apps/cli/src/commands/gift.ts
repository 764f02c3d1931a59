import { rm } from "node:fs/promises";
import type { Client } from "@bursar/client";
import type { Command } from "commander";
import type { Context, Look } from "../context.ts";
import { amount, counted, creditsText } from "../output/amount.ts";
import { newFile } from "../output/file.ts";
import { table } from "../output/table.ts";
import { expiry, relativeTime } from "../output/time.ts";
import { examples } from "../program.ts";
import { ahead, type Moment, wholeNumber } from "../values.ts";

type Batch = Awaited<ReturnType<Client["listGiftBatches"]>>["batches"][number];
type Cards = Awaited<ReturnType<Client["getGiftBatch"]>>["cards"];

export function gift(command: Command, context: Context): void {
  command.addHelpText(
    "after",
    examples(
      "bursar gift redeem K7QF-2MXD-9RTA",
      "bursar gift create 50 --count 100 --name spring --csv cards.csv",
      'bursar gift void batch_7 --reason "stolen"',
    ),
  );
  redeemCard(command.command("redeem"), context);
  createCards(command.command("create"), context);
  listBatches(command.command("list"), context);
  showBatch(command.command("show"), context);
  voidCards(command.command("void"), context);
}

function redeemCard(command: Command, context: Context): void {
  command
    .description("turn a gift card into credits that never expire")
    .argument("<code>", "XXXX-XXXX-XXXX; case, spaces and dashes do not matter")
    .addHelpText("after", examples("bursar gift redeem K7QF-2MXD-9RTA"))
    .action(async (code: string) => {
      const { client, account } = await context.connect("account");
      const answer = await client.redeemGiftCard({ ...account, code });
      context.print(answer, () => `${creditsText(answer.amount)} from the gift card, as ${answer.grantId}.`);
    });
}

interface CreateOptions {
  readonly count: number;
  readonly name?: string;
  readonly expires?: Moment;
  readonly csv?: string;
}

function createCards(command: Command, context: Context): void {
  command
    .description("make gift cards; their codes are shown once")
    .argument("<amount>", "credits of each card")
    .option("--count <number>", "how many, at most 1000", wholeNumber, 1)
    .option("--name <name>", "to recognise the batch by")
    .option("--expires <when>", 'until when they can be redeemed: "90d", "2027-01-31"; default never', ahead)
    .option("--csv <file>", "write the codes to this new file instead of showing them")
    .addHelpText("after", examples("bursar gift create 50 --count 100 --csv cards.csv"))
    .action(async (each: string, { count, name, expires, csv }: CreateOptions) => {
      const { client } = await context.connect("admin");
      const expiresAt = await context.instant(expires);
      const make = () => client.createGiftCards({ amount: each, count, name, expiresAt });
      const answer = csv === undefined ? await make() : await withCodesIn(csv, make);
      const codes =
        csv === undefined ? answer.cards.map(({ code }) => code).join("\n") : `The codes are in ${csv}.`;
      context.print(
        answer,
        ({ paint }) =>
          `${codes}\n\n${counted(answer.count, "card")} of ${creditsText(answer.amount)}, batch ${paint.bold(answer.id)}. The codes are not shown again.`,
      );
    });
}

/** The codes are told once: the file that is to keep them is there before the cards are made, and is nobody else's. */
async function withCodesIn<Made extends { csv: string }>(
  path: string,
  make: () => Promise<Made>,
): Promise<Made> {
  await using file = await newFile(path);
  const made = await make().catch(async (error: unknown) => {
    await rm(path);
    throw error;
  });
  await file.writeFile(made.csv);
  return made;
}

function listBatches(command: Command, context: Context): void {
  command
    .description("the batches, and what has become of their cards")
    .addHelpText("after", examples("bursar gift list"))
    .action(async () => {
      const { client } = await context.connect("admin");
      const answer = await client.listGiftBatches();
      context.print(answer, (look) => batchesText(answer.batches, look));
    });
}

function batchesText(batches: readonly Batch[], { paint, nowMilliseconds }: Look): string {
  return table(
    paint,
    [
      { title: "BATCH", of: ({ id }) => id },
      { title: "NAME", of: ({ name }) => name },
      { title: "CREDITS", align: "decimal", of: (batch) => amount(batch.amount) },
      { title: "CARDS", align: "decimal", of: ({ count }) => String(count) },
      { title: "REDEEMED", align: "decimal", of: ({ redeemed }) => String(redeemed) },
      { title: "VOID", align: "decimal", of: ({ voided }) => String(voided) },
      { title: "EXPIRES", of: ({ expiresAt }) => expiry(expiresAt, nowMilliseconds) },
    ],
    batches,
    "No gift cards.",
  );
}

function showBatch(command: Command, context: Context): void {
  command
    .description("one batch, card by card")
    .argument("<batch id>", "the batch")
    .addHelpText("after", examples("bursar gift show batch_7"))
    .action(async (id: string) => {
      const { client } = await context.connect("admin");
      const answer = await client.getGiftBatch(id);
      context.print(answer, (look) => `${batchesText([answer], look)}\n\n${cardsText(answer.cards, look)}`);
    });
}

function cardsText(cards: Cards, { paint, nowMilliseconds }: Look): string {
  return table(
    paint,
    [
      { title: "CARD", of: ({ id }) => id },
      { title: "STATE", of: ({ state }) => state },
      { title: "BY", of: ({ redeemedBy, voidReason }) => redeemedBy ?? voidReason ?? "" },
      {
        title: "WHEN",
        of: ({ redeemedAt }) => (redeemedAt === null ? "" : relativeTime(redeemedAt, nowMilliseconds)),
      },
    ],
    cards,
    "No cards.",
  );
}

function voidCards(command: Command, context: Context): void {
  command
    .description("end a card or a whole batch; what was redeemed stays")
    .argument("<id>", "of the card or the batch")
    .requiredOption("--reason <text>", "why, for people")
    .addHelpText("after", examples('bursar gift void batch_7 --reason "stolen"'))
    .action(async (id: string, { reason }: { reason: string }) => {
      const { client } = await context.connect("admin");
      const answer = await client.voidGiftCards(id, { reason });
      context.print(
        answer,
        () => `${counted(answer.voided, "card")} void, ${answer.redeemed} redeemed before.`,
      );
    });
}
