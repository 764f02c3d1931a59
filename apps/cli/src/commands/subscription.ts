import type { Client } from "@bursar/client";
import { CURRENCIES, type Currency, formatMoney } from "@bursar/contract/fiat";
import { type Command, Option } from "commander";
import type { Context, Look } from "../context.ts";
import { creditsText, isZero } from "../output/amount.ts";
import { facts } from "../output/table.ts";
import { both } from "../output/time.ts";
import { examples } from "../program.ts";

type Subscription = NonNullable<Awaited<ReturnType<Client["getSubscription"]>>["subscription"]>;
type Preview = Awaited<ReturnType<Client["previewSubscription"]>>;

export function subscription(command: Command, context: Context): void {
  command.addHelpText(
    "after",
    examples(
      "bursar subscription",
      "bursar subscription start galaxy --currency eur",
      "bursar subscription change orbit",
    ),
  );
  show(command.command("show", { isDefault: true }), context);
  start(command.command("start"), context);
  preview(command.command("preview"), context);
  change(command.command("change"), context);
  end(command.command("cancel"), context, "cancelSubscription");
  end(command.command("resume"), context, "resumeSubscription");
}

function show(command: Command, context: Context): void {
  command
    .description("the account's subscription")
    .addHelpText("after", examples("bursar subscription show"))
    .action(async () => {
      const { client, account } = await context.connect("account");
      const answer = await client.getSubscription({ ...account });
      context.print(answer, (look) =>
        answer.subscription === null
          ? "No subscription. The plans there are: bursar plans"
          : subscriptionText(answer.subscription, look),
      );
    });
}

export function subscriptionText(found: Subscription, { paint, nowMilliseconds }: Look): string {
  const { plan, renewsAs, currency, periodEnd } = found;
  const isGoing = found.state === "active" || found.state === "past_due";
  return facts(paint, [
    ["subscription", paint.bold(found.id)],
    ["state", found.state === "active" ? "active" : paint.yellow(stateText(found))],
    ["plan", planText(plan, currency)],
    ["pay here", found.url],
    ["paid until", periodEnd === null ? null : both(periodEnd, nowMilliseconds)],
    ["then", isGoing ? (renewsAs === null ? "it ends" : planText(renewsAs, currency)) : null],
    ["unpaid, it ends", found.graceUntil === null ? null : both(found.graceUntil, nowMilliseconds)],
  ]);
}

function stateText({ state, endReason }: Subscription): string {
  const text = state.replace("_", " ");
  return endReason === null ? text : `${text}: ${endReason}`;
}

function planText(
  { name, credits, bonus, amount, interval }: Subscription["plan"],
  currency: Currency,
): string {
  const extra = isZero(bonus) ? "" : ` and ${creditsText(bonus)} bonus`;
  return `${name}: ${creditsText(credits)}${extra} a month, ${formatMoney(amount, currency)} a ${interval}`;
}

interface StartOptions {
  readonly currency: Currency;
  readonly method: string;
  readonly id?: string;
}

function start(command: Command, context: Context): void {
  command
    .description("begin a plan, with the saved payment method or on a page")
    .argument("<plan>", "one of: bursar plans")
    .addOption(new Option("--currency <currency>", "what to pay in").choices(CURRENCIES).default("eur"))
    .option("--method <id>", "a saved payment method, or checkout for a page", "default")
    .option("--id <id>", "your id for it: the same id begins once, however often it is sent")
    .addHelpText("after", examples("bursar subscription start galaxy --currency eur"))
    .action(async (plan: string, { currency, method, id }: StartOptions) => {
      const { client, account } = await context.connect("account");
      const answer = await client.subscribe({ ...account, plan, currency, paymentMethod: method, id });
      context.print(answer, (look) => subscriptionText(answer.subscription, look));
    });
}

function preview(command: Command, context: Context): void {
  command
    .description("what a change of plan would cost and give; changes nothing")
    .argument("<plan>", "one of: bursar plans")
    .addHelpText("after", examples("bursar subscription preview galaxy"))
    .action(async (plan: string) => {
      const { client, account } = await context.connect("account");
      const answer = await client.previewSubscription({ ...account, plan });
      context.print(answer, (look) => previewText(answer, look));
    });
}

export function previewText(
  { plan, effective, at, dueNow, creditsNow, currency }: Preview,
  look: Look,
): string {
  const text = planText(plan, currency);
  if (effective === "period_end")
    return `${text}\nfrom the next period on, ${both(at, look.nowMilliseconds)}`;
  return `${text}\nat once, for ${formatMoney(dueNow, currency)} now, which give ${creditsText(creditsNow)}`;
}

function change(command: Command, context: Context): void {
  command
    .description("change the plan: a dearer one at once, any other from the next period on")
    .argument("<plan>", "one of: bursar plans")
    .addHelpText("after", examples("bursar subscription change galaxy"))
    .action(async (plan: string) => {
      const { client, account } = await context.connect("account");
      const answer = await client.changeSubscription({ ...account, plan });
      context.print(answer, (look) => subscriptionText(answer.subscription, look));
    });
}

const ENDS = {
  cancelSubscription: { name: "cancel", description: "end it with the period that is paid for" },
  resumeSubscription: { name: "resume", description: "let a subscription that was to end go on" },
} as const;

function end(command: Command, context: Context, call: keyof typeof ENDS): void {
  command
    .description(ENDS[call].description)
    .addHelpText("after", examples(`bursar subscription ${ENDS[call].name}`))
    .action(async () => {
      const { client, account } = await context.connect("account");
      const answer = await client[call]({ ...account });
      context.print(answer, (look) => subscriptionText(answer.subscription, look));
    });
}
