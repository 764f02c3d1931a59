import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import type { Client } from "@bursar/client";
import type { PriceBookInput } from "@bursar/contract/operations/prices";
import type { Command } from "commander";
import type { Context, Look } from "../context.ts";
import { usageFailure } from "../failure.ts";
import { clockTime } from "../output/time.ts";
import { examples } from "../program.ts";
import { ahead, type Moment, wholeNumber } from "../values.ts";

type Prices = Awaited<ReturnType<Client["getPriceBook"]>>;

export function prices(command: Command, context: Context): void {
  command.addHelpText(
    "after",
    examples(
      "bursar prices",
      "bursar prices --json > prices.json",
      "bursar prices set prices.json --from 2027-01-01",
    ),
  );
  showPrices(command.command("show", { isDefault: true }), context);
  setPrices(command.command("set"), context);
}

function showPrices(command: Command, context: Context): void {
  command
    .description("the price book in force, and the versions that come")
    .option("--at <when>", "the one in force then", ahead)
    .addHelpText("after", examples("bursar prices show --at 2027-01-01"))
    .action(async ({ at }: { at?: Moment }) => {
      const { client } = await context.connect("admin");
      const answer = await client.getPriceBook({ at: await context.instant(at) });
      context.print(answer, (look) => pricesText(answer, look));
    });
}

export function pricesText({ current, upcoming }: Prices, { paint }: Look): string {
  const heading = ({ version, validFrom }: Prices["current"], verb: string) =>
    `${paint.bold(`Version ${version}`)}, ${verb} ${clockTime(validFrom)}`;
  return [
    heading(current, "in force since"),
    JSON.stringify(current.book, null, 2),
    ...upcoming.map(
      (version) => `${heading(version, "in force from")}\n${JSON.stringify(version.book, null, 2)}`,
    ),
  ].join("\n");
}

interface SetOptions {
  readonly from?: Moment;
  readonly asVersion?: number;
}

function setPrices(command: Command, context: Context): void {
  command
    .description("put a new version of the price book; the old ones stay, for the receipts")
    .argument("<file>", 'a price book as JSON, or what prices --json printed; "-" reads it from stdin')
    .option("--from <when>", "when it comes into force; default now", ahead)
    .option(
      "--as-version <number>",
      "the number it must get, so that two people do not overwrite each other",
      wholeNumber,
    )
    .addHelpText("after", examples("bursar prices set prices.json", "bursar prices set - < prices.json"))
    .action(async (file: string, { from, asVersion }: SetOptions) => {
      const book = await readBook(file);
      const { client } = await context.connect("admin");
      const validFrom = await context.instant(from);
      const answer = await client.putPriceBook({ book, validFrom, version: asVersion });
      context.print(
        answer,
        () => `Version ${answer.version} is in force from ${clockTime(answer.validFrom)}.`,
      );
    });
}

/** The book alone, or inside of what `prices --json` prints. */
async function readBook(file: string): Promise<PriceBookInput> {
  const content = parse(await contentOf(file), file);
  const current = "current" in content ? content["current"] : content;
  const book = isRecord(current) && "book" in current ? current["book"] : current;
  if (isBook(book)) return book;
  throw usageFailure(
    `${file} is no price book: it has no "models".`,
    'It looks like {"models": {"<name>": {…}}}.',
  );
}

async function contentOf(file: string): Promise<string> {
  try {
    return file === "-" ? await text(process.stdin) : await readFile(file, "utf8");
  } catch (error) {
    throw usageFailure(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function parse(json: string, file: string): Readonly<Record<string, unknown>> {
  try {
    const content: unknown = JSON.parse(json);
    if (isRecord(content)) return content;
  } catch (error) {
    throw usageFailure(`${file} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  throw usageFailure(`${file} is not a JSON object.`);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The rest is for the server to check: it names the field at fault. */
function isBook(value: unknown): value is PriceBookInput {
  return isRecord(value) && "models" in value;
}
