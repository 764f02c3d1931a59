import type { Command } from "commander";
import type { Context } from "../context.ts";
import { creditsText } from "../output/amount.ts";
import { examples } from "../program.ts";
import { addUsageOptions, costOf, type UsageOptions } from "./work.ts";

interface SpendOptions extends UsageOptions {
  readonly id?: string;
  readonly feature?: string;
}

export function spend(command: Command, context: Context): void {
  addUsageOptions(command)
    .argument("[amount]", "credits, such as 2.5; or leave it out and name a model")
    .option("--id <id>", "your id for it: the same id is charged once, however often it is sent")
    .option("--feature <name>", "the feature it is for")
    .addHelpText(
      "after",
      examples(
        "bursar spend 2.5 --feature export",
        "bursar spend --model sandbox-small --input-tokens 1200 --output-tokens 300",
      ),
    )
    .action(async (amount: string | undefined, { id, feature, ...usage }: SpendOptions) => {
      const { client, account } = await context.connect("account");
      const answer = await client.spend({ ...account, ...costOf(amount, usage), id, feature });
      context.print(
        answer,
        ({ paint }) =>
          `Charged ${paint.bold(creditsText(answer.charged))}, ${creditsText(answer.available)} left. ${paint.dim(answer.id)}`,
      );
    });
}
