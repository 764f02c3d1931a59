import type { Client } from "@bursar/client";
import { type Command, InvalidArgumentError } from "commander";
import type { Context, Look } from "../context.ts";
import { amount, counted, creditsText } from "../output/amount.ts";
import { facts } from "../output/table.ts";
import { both, clockTime } from "../output/time.ts";
import { examples } from "../program.ts";
import { ago, type Moment } from "../values.ts";

type Quota = NonNullable<Awaited<ReturnType<Client["getQuota"]>>["quota"]>;

export function quota(command: Command, context: Context): void {
  command.addHelpText(
    "after",
    examples("bursar quota", "bursar quota set --account acct_demo --credits 500 --rollover-cap 200"),
  );
  showQuota(command.command("show", { isDefault: true }), context);
  setQuota(command.command("set"), context);
}

function showQuota(command: Command, context: Context): void {
  command
    .description("what the account is given each month, and when next")
    .addHelpText("after", examples("bursar quota show --account acct_demo"))
    .action(async () => {
      const { client, account } = await context.connect("account");
      const answer = await client.getQuota({ ...account });
      context.print(answer, (look) => quotaText(answer.accountId, answer.quota, look));
    });
}

export function quotaText(accountId: string, found: Quota | null, look: Look): string {
  const { paint, nowMilliseconds } = look;
  if (found === null) {
    return `${accountId} has no monthly quota. An admin sets one: bursar quota set --account ${accountId}`;
  }
  const { cycle, rollover } = found;
  return facts(paint, [
    ["account", paint.bold(accountId)],
    ["each month", creditsText(found.credits)],
    ["left of this cycle", cycle === null ? null : amount(cycle.remaining)],
    ["next reset", both(found.nextReset, nowMilliseconds)],
    ["counted from", clockTime(found.anchor)],
    ["rolls over", rollover === null ? "nothing" : rolloverText(rollover)],
  ]);
}

function rolloverText({ cap, months }: NonNullable<Quota["rollover"]>): string {
  return `up to ${creditsText(cap)}, for ${counted(months, "month")}`;
}

interface SetOptions {
  readonly credits?: string;
  readonly anchor?: Moment;
  readonly rolloverCap?: string;
  readonly rolloverMonths?: number;
}

function setQuota(command: Command, context: Context): void {
  command
    .description("give an account a monthly quota, or change it from the next cycle on")
    .option("--credits <amount>", "each month, at most 2000; 0 stops it; default 500")
    .option("--anchor <when>", 'months are counted from here, such as "2026-01-31"; default now', ago)
    .option("--rollover-cap <amount>", "how much of what is unused may live on; default: nothing")
    .option("--rollover-months <count>", "for how long after the cycle; default 1", months)
    .addHelpText("after", examples("bursar quota set --account acct_demo --credits 750"))
    .action(async (options: SetOptions) => {
      const { client, requireAccount } = await context.connect("admin");
      const anchor = await context.instant(options.anchor);
      const answer = await client.putQuota(requireAccount(), { ...fieldsOf(options), anchor });
      context.print(answer, (look) => quotaText(answer.accountId, answer.quota, look));
    });
}

function fieldsOf({ credits, rolloverCap, rolloverMonths }: SetOptions) {
  const rollover = rolloverCap === undefined ? null : { cap: rolloverCap, months: rolloverMonths };
  return { credits, rollover };
}

function months(text: string): number {
  if (!/^\d{1,2}$/.test(text)) throw new InvalidArgumentError("It must be a number of months, 1 to 12.");
  return Number(text);
}
