import type { Client } from "@bursar/client";
import { formatMoney } from "@bursar/contract/fiat";
import type { Command } from "commander";
import { collect } from "../collect.ts";
import type { Context, Look } from "../context.ts";
import { saveDocument } from "../output/document.ts";
import { withPaidBack } from "../output/paid-back.ts";
import { table } from "../output/table.ts";
import { clockTime } from "../output/time.ts";
import { defaultSubcommand, examples } from "../program.ts";

type Invoice = Awaited<ReturnType<Client["listInvoices"]>>["invoices"][number];

export function invoices(command: Command, context: Context): void {
  defaultSubcommand(
    command,
    list(command.command("list", { isDefault: true }), context),
    examples("bursar invoices", "bursar invoices list --json", "bursar invoices pdf SANDBOX-0001"),
  );
  pdf(command.command("pdf"), context);
}

function list(command: Command, context: Context): Command {
  return command.description("the invoices of the account's subscriptions, newest first").action(async () => {
    const { client, account } = await context.connect("account");
    const found = await collect(client.everyInvoice(account));
    context.print({ invoices: found, nextCursor: null }, (look) => invoicesText(found, look));
  });
}

export function invoicesText(found: readonly Invoice[], { paint }: Look): string {
  return table(
    paint,
    [
      { title: "INVOICE", of: (invoice) => invoice.number ?? invoice.id },
      { title: "STATUS", of: statusOf },
      { title: "PLAN", of: (invoice) => invoice.plan ?? "-" },
      { title: "AMOUNT", of: (invoice) => formatMoney(invoice.amountDue, invoice.currency) },
      { title: "FROM", of: (invoice) => clockTime(invoice.periodStart) },
      { title: "TO", of: (invoice) => clockTime(invoice.periodEnd) },
    ],
    found,
    "No invoices.",
  );
}

function statusOf({ status, disputed, refunded, amountPaid }: Invoice): string {
  return withPaidBack(status, { disputed, refunded, of: amountPaid });
}

interface PdfOptions {
  readonly creditNote?: boolean;
  readonly refund?: string;
  readonly out?: string;
}

function pdf(command: Command, context: Context): void {
  command
    .description("save an invoice, or the credit note of a refund of it, as PDF")
    .argument("<invoice>", "its number or its id")
    .option("--credit-note", "the credit note of its latest refund")
    .option("--refund <id>", "with --credit-note: of this refund")
    .option("--out <file>", "where to; default: invoice-<invoice>.pdf here")
    .addHelpText(
      "after",
      examples("bursar invoices pdf SANDBOX-0001", "bursar invoices pdf SANDBOX-0001 --credit-note"),
    )
    .action(async (id: string, { creditNote = false, refund, out }: PdfOptions) => {
      const { client, account } = await context.connect("account");
      const kind = creditNote ? "credit-note" : "invoice";
      const document = client.invoiceDocument(id, kind, { ...account, refund });
      await saveDocument(context, document, { out, usually: `${kind}-${id.replace(/[^\w.-]/g, "_")}.pdf` });
    });
}
