import type { Client } from "@bursar/client";
import { formatMoney } from "@bursar/contract/fiat";
import type { Command } from "commander";
import type { Context, Look } from "../context.ts";
import { amount } from "../output/amount.ts";
import { saveDocument } from "../output/document.ts";
import { withPaidBack } from "../output/paid-back.ts";
import { facts, table } from "../output/table.ts";
import { clockTime } from "../output/time.ts";
import { defaultSubcommand, examples } from "../program.ts";
import { wholeNumber } from "../values.ts";

type Page = Awaited<ReturnType<Client["listPayments"]>>;
type Payment = Page["payments"][number];
type Method = Awaited<ReturnType<Client["listPaymentMethods"]>>["paymentMethods"][number];

export function payments(command: Command, context: Context): void {
  defaultSubcommand(
    command,
    list(command.command("list", { isDefault: true }), context),
    examples("bursar payments", "bursar payments list --limit 5", "bursar payments methods"),
  );
  show(command.command("show"), context);
  receipt(command.command("receipt"), context);
  refund(command.command("refund"), context);
  giveBack(command.command("return"), context);
  methods(command.command("methods"), context);
  add(command.command("add"), context);
  chooseDefault(command.command("default"), context);
  remove(command.command("remove"), context);
}

function list(command: Command, context: Context): Command {
  return command
    .description("purchases and top-ups, newest first")
    .option("--limit <count>", "at most this many", wholeNumber, 20)
    .option("--cursor <cursor>", "go on where the last page ended")
    .action(async (options: { limit: number; cursor?: string }) => {
      const { client, account } = await context.connect("account");
      const page = await client.listPayments({ ...account, ...options });
      context.print(page, (look) => paymentsText(page, look));
    });
}

export function paymentsText({ payments: found, nextCursor }: Page, { paint }: Look): string {
  const rows = table(
    paint,
    [
      { title: "PAYMENT", of: ({ id }) => id },
      { title: "AT", of: ({ createdAt }) => clockTime(createdAt) },
      { title: "KIND", of: ({ kind }) => kind },
      { title: "STATE", of: stateOf },
      { title: "CREDITS", align: "decimal", of: ({ credits }) => amount(credits) },
      { title: "PRICE", of: ({ amount, currency }) => formatMoney(amount, currency) },
    ],
    found,
    "No payments.",
  );
  return nextCursor === null ? rows : `${rows}\n${paint.dim(`Older: --cursor ${nextCursor}`)}`;
}

function stateOf({ state, refunded, amount, disputed }: Payment): string {
  return withPaidBack(state, { disputed, refunded, of: amount });
}

function show(command: Command, context: Context): void {
  command
    .description("one payment")
    .argument("<payment id>", "the payment")
    .addHelpText("after", examples("bursar payments show pay_7 --json"))
    .action(async (id: string) => {
      const { client, account } = await context.connect("account");
      const payment = await client.getPayment(id, account);
      context.print(payment, (look) => paymentText(payment, look));
    });
}

export function paymentText(payment: Payment, { paint }: Look): string {
  const { currency, refunded } = payment;
  return facts(paint, [
    ["Payment", payment.id],
    ["Kind", payment.kind],
    ["State", stateOf(payment)],
    ["Credits", amount(payment.credits)],
    ["Price", formatMoney(payment.amount, currency)],
    ["Paid back", refunded === 0 ? null : formatMoney(refunded, currency)],
    ["Grant", payment.grantId],
    ["Pay or confirm at", payment.url],
    [
      "Why it failed",
      payment.failure === null ? null : `${payment.failure.message} (${payment.failure.code})`,
    ],
    ["Begun", clockTime(payment.createdAt, "seconds")],
    ["Ended", payment.endedAt === null ? null : clockTime(payment.endedAt, "seconds")],
  ]);
}

function receipt(command: Command, context: Context): void {
  command
    .description("save the receipt, or the credit note of a refund, as PDF")
    .argument("<payment id>", "the payment")
    .option("--credit-note", "the credit note of its latest refund")
    .option("--out <file>", "where to; default: receipt-<payment id>.pdf here")
    .addHelpText(
      "after",
      examples("bursar payments receipt pay_7", "bursar payments receipt pay_7 --credit-note"),
    )
    .action(async (id: string, options: { creditNote?: boolean; out?: string }) => {
      const { client, account } = await context.connect("account");
      const kind = options.creditNote === true ? "credit-note" : "receipt";
      const document = client.paymentDocument(id, kind, account);
      await saveDocument(context, document, { out: options.out, usually: `${kind}-${id}.pdf` });
    });
}

function refund(command: Command, context: Context): void {
  command
    .description("pay back some or all; the credits go in proportion, what is spent becomes debt")
    .argument("<payment id>", "the payment")
    .option("--amount <minor units>", "cents, or yen; default: all that is left", wholeNumber)
    .requiredOption("--reason <text>", "why, for people")
    .option("--id <id>", "your id for the refund: the same id is paid back once")
    .addHelpText(
      "after",
      examples('bursar payments refund pay_7 --amount 500 --reason "by mistake" --id refund-of-pay-7'),
    )
    .action(async (payment: string, options: { amount?: number; reason: string; id?: string }) => {
      const { client, requireAccount } = await context.connect("admin");
      const paidBack = await client.refundPayment(payment, { accountId: requireAccount(), ...options });
      context.print(paidBack, (look) => paymentText(paidBack, look));
    });
}

function giveBack(command: Command, context: Context): void {
  command
    .description("give the unused credits of a purchase back for money, within 14 days")
    .argument("<payment id>", "the payment")
    .addHelpText("after", examples("bursar payments return pay_7"))
    .action(async (id: string) => {
      const { client, account } = await context.connect("account");
      const payment = await client.refundUnused(id, account);
      context.print(payment, (look) => paymentText(payment, look));
    });
}

function methods(command: Command, context: Context): void {
  command
    .description("the saved payment methods")
    .addHelpText("after", examples("bursar payments methods"))
    .action(async () => {
      const { client, account } = await context.connect("account");
      const answer = await client.listPaymentMethods(account);
      context.print(answer, (look) => methodsText(answer.paymentMethods, look));
    });
}

export function methodsText(found: readonly Method[], { paint }: Look): string {
  return table(
    paint,
    [
      { title: "METHOD", of: ({ id }) => id },
      { title: "CARD", of: ({ brand, last4, type }) => `${brand ?? type} ${last4 ?? ""}`.trim() },
      { title: "GOOD THROUGH", of: ({ expiresMonth }) => expiresMonth ?? "" },
      { title: "", of: noteOf },
    ],
    found,
    "No saved payment methods: bursar payments add.",
  );
}

function noteOf({ isDefault, usable }: Method): string {
  if (!usable) return "expired";
  return isDefault ? "default" : "";
}

function add(command: Command, context: Context): void {
  command
    .description("save a payment method: on the provider's page, or by its token")
    .argument("[token]", "in the sandbox pm_card_visa and its kin")
    .addHelpText("after", examples("bursar payments add", "bursar payments add pm_card_visa"))
    .action(async (paymentMethod: string | undefined) => {
      const { client, account } = await context.connect("account");
      const answer = await client.addPaymentMethod({ ...account, paymentMethod });
      const saved = answer.paymentMethod;
      context.print(answer, (look) =>
        saved === null ? `Enter it at\n${look.paint.bold(answer.url ?? "")}` : methodsText([saved], look),
      );
    });
}

function chooseDefault(command: Command, context: Context): void {
  command
    .description("choose the payment method that is charged first")
    .argument("<method id>", "the method")
    .addHelpText("after", examples("bursar payments default pm_7"))
    .action(async (paymentMethod: string) => {
      const { client, account } = await context.connect("account");
      const answer = await client.setDefaultPaymentMethod({ ...account, paymentMethod });
      context.print(answer, (look) => methodsText(answer.paymentMethods, look));
    });
}

function remove(command: Command, context: Context): void {
  command
    .description("forget a payment method")
    .argument("<method id>", "the method")
    .addHelpText("after", examples("bursar payments remove pm_7"))
    .action(async (paymentMethod: string) => {
      const { client, account } = await context.connect("account");
      const answer = await client.removePaymentMethod({ ...account, paymentMethod });
      context.print(answer, (look) => methodsText(answer.paymentMethods, look));
    });
}
