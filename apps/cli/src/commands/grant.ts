import { grantSource } from "@bursar/contract/operations/grants";
import { type Command, Option } from "commander";
import type { Context } from "../context.ts";
import { creditsText } from "../output/amount.ts";
import { lasting } from "../output/time.ts";
import { amountOrVerb, defaultSubcommand, examples } from "../program.ts";
import { expires, list, type Moment, NEVER, wholeNumber } from "../values.ts";

export function grant(command: Command, context: Context): void {
  defaultSubcommand(
    command,
    createGrant(command.command("create", { isDefault: true }), context),
    examples("bursar grant 100", "bursar grant 100 --account acct_demo --source promo --expires 30d"),
  );
  revokeGrant(command.command("revoke"), context);
}

type Source = (typeof grantSource.options)[number];

interface CreateOptions {
  readonly source?: Source;
  readonly expires?: Moment | typeof NEVER;
  readonly notes?: string;
  readonly id?: string;
  readonly scope?: string[];
  readonly priority?: number;
}

function createGrant(command: Command, context: Context): Command {
  return command
    .description("give credits to an account; a debt is paid first")
    .argument("<amount>", "credits, such as 100", amountOrVerb("revoke"))
    .addOption(
      new Option("--source <source>", "where they come from; default admin").choices(grantSource.options),
    )
    .option("--expires <when>", '"30d", "2027-01-31", "never"; default by source, for admin 30d', expires)
    .option("--scope <features>", "the only features it may pay for, as a,b", list)
    .option("--priority <number>", "lower is spent first; default by source", wholeNumber)
    .option("--notes <text>", "why, for people")
    .option("--id <id>", "your id for it: the same id is granted once, however often it is sent")
    .action(async (amount: string, { expires, ...options }: CreateOptions) => {
      const { client, requireAccount } = await context.connect("admin");
      const expiresAt = expires === NEVER ? null : await context.instant(expires);
      const answer = await client.createGrant({ accountId: requireAccount(), amount, expiresAt, ...options });
      context.print(
        answer,
        ({ paint, nowMilliseconds }) =>
          `Granted ${paint.bold(creditsText(answer.amount))} to ${answer.accountId} as ${answer.id}${afterDebt(answer)}; they ${lasting(answer.expiresAt, nowMilliseconds)}.`,
      );
    });
}

function afterDebt({ amount, remaining }: { amount: string; remaining: string }): string {
  return amount === remaining ? "" : `, of which ${creditsText(remaining)} remain after the debt was paid`;
}

interface RevokeOptions {
  readonly reason: string;
  readonly id?: string;
}

function revokeGrant(command: Command, context: Context): void {
  command
    .description("take back some or all of a grant; what is spent already becomes debt")
    .argument("<grant id>", "the grant")
    .argument("<amount>", "credits to take back")
    .requiredOption("--reason <text>", "why, for people")
    .option("--id <id>", "your id for it")
    .addHelpText("after", examples('bursar grant revoke grant_7 25 --reason "refunded"'))
    .action(async (grantId: string, amount: string, options: RevokeOptions) => {
      const { client, requireAccount } = await context.connect("admin");
      const answer = await client.revokeGrant(grantId, { accountId: requireAccount(), amount, ...options });
      context.print(
        answer,
        () =>
          `Revoked ${creditsText(answer.revoked)} of ${answer.grantId}; ${creditsText(answer.available)} available, ${creditsText(answer.owed)} owed.`,
      );
    });
}
