import type { Command } from "commander";
import type { Context, Look } from "../context.ts";
import { creditsText, isZero } from "../output/amount.ts";
import { both } from "../output/time.ts";
import { amountOrVerb, defaultSubcommand, examples } from "../program.ts";
import { wholeNumber } from "../values.ts";
import {
  addUsageOptions,
  addWorkOptions,
  askForOne,
  askForTokens,
  costOf,
  type UsageOptions,
  type WorkOptions,
} from "./work.ts";

export function hold(command: Command, context: Context): void {
  defaultSubcommand(
    command,
    createHold(command.command("create", { isDefault: true }), context),
    examples(
      "bursar hold 5",
      "bursar hold --model sandbox-small --input-tokens 2000 --max-output-tokens 500",
      "bursar hold settle hold_7 3.25",
    ),
  );
  extendHold(command.command("extend"), context);
  settleHold(command.command("settle"), context);
  releaseHold(command.command("release"), context);
}

interface CreateOptions extends WorkOptions {
  readonly id?: string;
  readonly feature?: string;
  readonly ttl?: number;
  readonly parent?: string;
}

function createHold(command: Command, context: Context): Command {
  return addWorkOptions(command)
    .description("reserve credits before work starts; what is not settled in time goes back by itself")
    .argument(
      "[amount]",
      "credits, such as 5; or leave it out and name a model",
      amountOrVerb("extend", "settle", "release"),
    )
    .option("--id <id>", "your id for the hold")
    .option("--feature <name>", "the feature the work is for")
    .option("--ttl <seconds>", "how long it lasts unless it is extended; default 600", wholeNumber)
    .option("--parent <hold id>", "an open hold to draw from: a run's budget")
    .action(async (amount: string | undefined, { ttl, parent, ...options }: CreateOptions) => {
      askForOne(amount, options.model, "--input-tokens and --max-output-tokens");
      askForTokens(options.model, [options.inputTokens, options.maxOutputTokens]);
      const { client, account } = await context.connect("account");
      const lasting = { ttlSeconds: ttl, parentId: parent };
      const answer = await client.createHold({ ...account, amount, ...options, ...lasting });
      context.print(
        answer,
        (look) =>
          `Held ${creditsText(answer.amount)} as ${look.paint.bold(answer.id)}; it ends ${both(answer.expiresAt, look.nowMilliseconds)}; ${left(answer)}.`,
      );
    });
}

interface ExtendOptions {
  readonly id?: string;
  readonly ttl?: number;
  readonly reported?: string;
}

function extendHold(command: Command, context: Context): void {
  command
    .description("grow a hold, or renew its time")
    .argument("<hold id>", "the hold")
    .argument("[amount]", "credits to add")
    .option("--ttl <seconds>", "how long it lasts from now", wholeNumber)
    .option("--reported <amount>", "what the work has cost so far: settled if you never come back")
    .option("--id <id>", "your id for this extension")
    .addHelpText("after", examples("bursar hold extend hold_7 2", "bursar hold extend hold_7 --ttl 900"))
    .action(async (holdId: string, amount: string | undefined, { ttl, ...options }: ExtendOptions) => {
      const { client, account } = await context.connect("account");
      const answer = await client.extendHold(holdId, { ...account, amount, ttlSeconds: ttl, ...options });
      context.print(answer, (look) => `${extendedText(answer, look)}; ${left(answer)}.`);
    });
}

function extendedText(
  answer: { id: string; amount: string; extended: string; expiresAt: string | null },
  { paint, nowMilliseconds }: Look,
): string {
  const grown = isZero(answer.extended) ? "" : ` ${creditsText(answer.extended)} more:`;
  const until = answer.expiresAt === null ? "" : `; it ends ${both(answer.expiresAt, nowMilliseconds)}`;
  return `${paint.bold(answer.id)} holds${grown} ${creditsText(answer.amount)}${until}`;
}

function settleHold(command: Command, context: Context): void {
  addUsageOptions(command)
    .description("charge what the work really cost, and give the rest back")
    .argument("<hold id>", "the hold")
    .argument("[amount]", "credits it cost; or leave it out and name a model")
    .addHelpText(
      "after",
      examples(
        "bursar hold settle hold_7 3.25",
        "bursar hold settle hold_7 --model sandbox-small --input-tokens 1200 --output-tokens 300",
      ),
    )
    .action(async (holdId: string, amount: string | undefined, usage: UsageOptions) => {
      const { client, account } = await context.connect("account");
      const answer = await client.settleHold(holdId, { ...account, ...costOf(amount, usage) });
      context.print(answer, ({ paint }) => {
        const debt = isZero(answer.overrun)
          ? ""
          : ` ${paint.red(`${creditsText(answer.overrun)} became a debt.`)}`;
        return `Charged ${paint.bold(creditsText(answer.charged))}, released ${creditsText(answer.released)}; ${left(answer)}.${debt}`;
      });
    });
}

function releaseHold(command: Command, context: Context): void {
  command
    .description("give the whole hold back, because the work did not happen")
    .argument("<hold id>", "the hold")
    .addHelpText("after", examples("bursar hold release hold_7"))
    .action(async (holdId: string) => {
      const { client, account } = await context.connect("account");
      const answer = await client.releaseHold(holdId, account);
      context.print(answer, () => `Released ${creditsText(answer.released)}; ${left(answer)}.`);
    });
}

function left({ available }: { available: string }): string {
  return `${creditsText(available)} available`;
}
