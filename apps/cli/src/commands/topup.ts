import type { Client } from "@bursar/client";
import { CURRENCIES, type Currency, formatMoney } from "@bursar/contract/fiat";
import { type Command, Option } from "commander";
import type { Context, Look } from "../context.ts";
import { counted, creditsText, amount as grouped } from "../output/amount.ts";
import { facts, table } from "../output/table.ts";
import { clockTime } from "../output/time.ts";
import { examples } from "../program.ts";
import { wholeNumber } from "../values.ts";

type Policy = Awaited<ReturnType<Client["getTopUpPolicy"]>>;
type Preview = Awaited<ReturnType<Client["previewTopUpPolicy"]>>;
type Attempt = Awaited<ReturnType<Client["listTopUpAttempts"]>>["attempts"][number];

export function topup(command: Command, context: Context): void {
  command.addHelpText(
    "after",
    examples(
      "bursar topup",
      'bursar topup set --threshold 500 --target 2000 --currency eur --daily-cap 1000 --monthly-cap 5000 --reason "as agreed"',
      "bursar topup preview --threshold 500 --target 2000 --currency eur --daily-cap 1000 --monthly-cap 5000",
      "bursar topup off",
    ),
  );
  show(command.command("show", { isDefault: true }), context);
  set(command.command("set"), context);
  off(command.command("off"), context);
  preview(command.command("preview"), context);
  attempts(command.command("attempts"), context);
}

function show(command: Command, context: Context): void {
  command
    .description("when credits are bought by themselves, and how that stands")
    .addHelpText("after", examples("bursar topup show --json"))
    .action(async () => {
      const { client, account } = await context.connect("account");
      const policy = await client.getTopUpPolicy(account);
      context.print(policy, (look) => policyText(policy, look));
    });
}

interface PolicyOptions {
  readonly threshold?: string;
  readonly target?: string;
  readonly amount?: string;
  readonly currency?: Currency;
  readonly dailyCap?: number;
  readonly monthlyCap?: number;
  readonly cooldown?: number;
}

function policyOptions(command: Command): Command {
  return command
    .option("--threshold <credits>", "buy when the balance, less debt, is below this")
    .option("--target <credits>", "buy up to this")
    .option("--amount <credits>", "or: buy this at a time")
    .addOption(new Option("--currency <currency>", "to pay in").choices(CURRENCIES))
    .option("--daily-cap <minor units>", "the most to charge a day: cents, or yen", wholeNumber)
    .option("--monthly-cap <minor units>", "the most to charge a month", wholeNumber)
    .option("--cooldown <seconds>", "between two charges; default 3600", wholeNumber);
}

function fieldsOf({ cooldown, ...options }: PolicyOptions) {
  const mode = modeOf(options);
  return { ...options, ...(mode === undefined ? {} : { mode }), cooldownSeconds: cooldown };
}

function modeOf({ target, amount }: PolicyOptions): "target" | "amount" | undefined {
  if (target !== undefined) return "target";
  return amount === undefined ? undefined : "amount";
}

interface SetOptions extends PolicyOptions {
  readonly totp?: string;
  readonly reason?: string;
}

function set(command: Command, context: Context): void {
  policyOptions(command)
    .description("switch auto top-up on, or change it; what is left out stays as it was")
    .option("--totp <code>", "six digits of your authenticator, where you are signed in as a person")
    .option("--reason <text>", "why, with an admin key; it is recorded")
    .addHelpText(
      "after",
      examples(
        "bursar topup set --threshold 500 --target 2000 --currency eur --daily-cap 1000 --monthly-cap 5000 --totp 123456",
        'bursar topup set --threshold 1000 --reason "the customer asked"',
      ),
    )
    .action(async ({ totp, reason, ...options }: SetOptions) => {
      // A reason is an administrator's.
      const { client, account } = await context.connect(reason === undefined ? "account" : "admin");
      const fields = { ...fieldsOf(options), totpCode: totp, reason };
      const policy = await client.putTopUpPolicy({ ...account, enabled: true, ...fields });
      context.print(policy, (look) => policyText(policy, look));
    });
}

function off(command: Command, context: Context): void {
  command
    .description("switch auto top-up off, at once; its settings are kept")
    .addHelpText("after", examples("bursar topup off"))
    .action(async () => {
      const { client, account } = await context.connect("account");
      const policy = await client.putTopUpPolicy({ ...account, enabled: false });
      context.print(policy, (look) => policyText(policy, look));
    });
}

function preview(command: Command, context: Context): void {
  policyOptions(command)
    .description("what such a policy would have charged over the last 30 days; charges nothing")
    .addHelpText(
      "after",
      examples(
        "bursar topup preview",
        "bursar topup preview --threshold 500 --amount 1000 --currency usd --daily-cap 1000 --monthly-cap 9000",
      ),
    )
    .action(async (options: PolicyOptions) => {
      const { client, account } = await context.connect("account");
      const answer = await client.previewTopUpPolicy({ ...account, ...fieldsOf(options) });
      context.print(answer, (look) => previewText(answer, look));
    });
}

function attempts(command: Command, context: Context): void {
  command
    .description("every attempt to buy credits by itself, newest first, and how it ended")
    .option("--limit <count>", "at most this many", wholeNumber, 20)
    .option("--cursor <cursor>", "go on where the last page ended")
    .addHelpText("after", examples("bursar topup attempts --limit 5"))
    .action(async (options: { limit: number; cursor?: string }) => {
      const { client, account } = await context.connect("account");
      const answer = await client.listTopUpAttempts({ ...account, ...options });
      context.print(answer, (look) => attemptsText(answer.attempts, look));
    });
}

export function policyText(policy: Policy, { paint }: Look): string {
  const { currency } = policy;
  const money = (minor: number | null) =>
    minor === null || currency === null ? null : formatMoney(minor, currency);
  const state = policy.enabled ? paint.green("on") : paint.yellow("off");
  const suspended = policy.suspended ? ", waiting until a dispute or a refund is over" : "";
  return facts(paint, [
    ["Auto top-up", `${state}${suspended}`],
    ["Switched off by", policy.enabled ? null : policy.disabledReason],
    ["Buys below", credited(policy.threshold)],
    ["Up to", credited(policy.target)],
    ["At a time", credited(policy.amount)],
    ["Today", spentOf(money(policy.chargedToday), money(policy.dailyCap))],
    ["This month", spentOf(money(policy.chargedThisMonth), money(policy.monthlyCap))],
    ["Cooldown", policy.mode === null ? null : `${policy.cooldownSeconds} s between two charges`],
    ["Last bought", policy.lastTriggeredAt === null ? null : clockTime(policy.lastTriggeredAt)],
    ["Set by", setBy(policy)],
  ]);
}

const credited = (credits: string | null) => (credits === null ? null : creditsText(credits));

const spentOf = (charged: string | null, cap: string | null) =>
  charged === null || cap === null ? null : `${charged} of at most ${cap}`;

function setBy({ updatedBy, updatedAt, reason }: Policy): string | null {
  if (updatedBy === null || updatedAt === null) return null;
  return `${updatedBy}, ${clockTime(updatedAt)}${reason === null ? "" : `: ${reason}`}`;
}

export function previewText(
  { charges, total, credits, currency, stopped }: Preview,
  { paint }: Look,
): string {
  const rows = table(
    paint,
    [
      { title: "AT", of: ({ at }) => clockTime(at) },
      { title: "BALANCE", align: "decimal", of: ({ netBefore }) => grouped(netBefore) },
      { title: "CREDITS", align: "decimal", of: (charge) => grouped(charge.credits) },
      { title: "PRICE", of: ({ amount }) => formatMoney(amount, currency) },
    ],
    charges,
    "It would have bought nothing over the last 30 days.",
  );
  const waits = stopped.length === 0 ? "" : `, and would have had to wait ${stopped.length} times`;
  if (charges.length === 0) return rows;
  return `${rows}\n\n${counted(charges.length, "charge")}, ${formatMoney(total, currency)} for ${creditsText(credits)}${waits}.`;
}

export function attemptsText(attempts: readonly Attempt[], { paint }: Look): string {
  return table(
    paint,
    [
      { title: "ATTEMPT", of: ({ id }) => id },
      { title: "AT", of: ({ createdAt }) => clockTime(createdAt) },
      { title: "STATE", of: ({ state }) => state },
      { title: "CREDITS", align: "decimal", of: ({ credits }) => grouped(credits) },
      { title: "PRICE", of: ({ amount, currency }) => formatMoney(amount, currency) },
      { title: "WHY", of: ({ netBefore, threshold }) => `${grouped(netBefore)} below ${grouped(threshold)}` },
      { title: "", of: ({ failure, actionUrl }) => failure?.message ?? actionUrl ?? "" },
    ],
    attempts,
    "No attempts.",
  );
}
