import { formatCredits, type MicroCredits } from "@bursar/contract/money";
import type { CreditNote, PeriodInvoice, Receipt } from "@bursar/documents/receipt";
import { instalment, instalmentsOf } from "@bursar/engine/subscription/decide";
import { findTerms } from "@bursar/engine/subscription/store";
import { findInvoice, type Invoice } from "@bursar/engine/subscription/store-invoices";
import { isOfBefore, readReversals } from "@bursar/engine/subscription/store-reversals";
import type { Problem } from "../rest/problem.ts";
import type { Asked, DocumentDeps, Made, Make } from "./document.ts";

type MakeOfInvoice = (deps: DocumentDeps, invoice: Invoice, asked: Asked) => Promise<Made | Problem>;

/** By the invoice's id or its number. A draft is none yet. */
export function ofInvoice(make: MakeOfInvoice): Make {
  return async (deps, asked) => {
    const invoice = await findInvoice(deps.pool, asked.accountId, asked.id);
    if (invoice === null) return unknown(`There is no invoice ${asked.id} on this account`, "id");
    if (invoice.status === "draft") return unknown("The invoice is not final yet", "id");
    return make(deps, invoice, asked);
  };
}

const unknown = (message: string, param: string): Problem => ({ problem: "invoice_unknown", message, param });

const numberOf = ({ number, id }: Invoice) => number ?? id;

export async function invoiceOf(deps: DocumentDeps, invoice: Invoice, { parties }: Asked): Promise<Made> {
  const { createdAt, currency, periodStart, periodEnd, paidAt, paidWith, amountDue } = invoice;
  const document: PeriodInvoice = {
    ...parties,
    ...linesOf(invoice),
    ...{
      number: numberOf(invoice),
      issuedAt: createdAt,
      periodStart,
      periodEnd,
      currency: currency.toUpperCase(),
    },
    totalMinorUnits: BigInt(amountDue),
    paidAt: paidAt ?? undefined,
    paidWith: paidWith ?? undefined,
    given: await creditsOf(deps, invoice),
    reference: invoice.id,
    notes: invoice.status === "void" ? ["This invoice is void: nobody owes it."] : [],
  };
  // Loaded when the first document is asked for.
  const { invoicePdf } = await import("@bursar/documents/receipt");
  return { fileName: `invoice-${numberOf(invoice)}.pdf`, pdf: await invoicePdf(document) };
}

/** As the provider has written them; one that was kept without any has one line. */
function linesOf({ content, amountDue, planId }: Invoice): Pick<Receipt, "lines" | "taxes"> {
  const { lines, taxes } = content ?? {
    lines: [{ text: planId ?? "Subscription", quantity: 1, amount: amountDue }],
    taxes: [],
  };
  return {
    lines: lines.map(({ amount, ...line }) => ({ ...line, amountMinorUnits: BigInt(amount) })),
    taxes: taxes.map(({ amount, ...tax }) => ({ ...tax, amountMinorUnits: BigInt(amount) })),
  };
}

/** What a paid invoice gives in all, however much of it has come by now. Nobody knows of a plan that was made at the
 *  provider alone: its invoice is an invoice all the same. */
async function creditsOf({ pool }: DocumentDeps, invoice: Invoice): Promise<string | undefined> {
  const { accountId, subscriptionId: id, planId } = invoice;
  if (invoice.status !== "paid" || invoice.reason === "other" || planId === null) return undefined;
  const terms = await findTerms(pool, { accountId, id }, planId);
  if (terms === null) return undefined;
  const months = instalmentsOf(invoice, terms);
  const given = formatCredits(instalment(invoice, terms, 0).amount satisfies MicroCredits);
  return months === 1 ? given : `${given} a month, ${months} times`;
}

/** The refund or lost dispute that is named, else the latest. */
export async function invoiceCreditNoteOf(
  deps: DocumentDeps,
  invoice: Invoice,
  { parties, refund: named }: Asked,
): Promise<Made | Problem> {
  const known = await readReversals(deps.pool, invoice);
  const standing = known.filter((reversal) => reversal.state === "taken" && !isOfBefore(reversal));
  const reversal = named === undefined ? standing.at(-1) : standing.find(({ id }) => id === named);
  if (reversal === undefined) return unknown("There is no such refund of this invoice", "refund");
  const { id, kind, amount, at } = reversal;
  const number = numberOf(invoice);
  const reason = kind === "refund" ? "Refund" : "Chargeback";
  const note: CreditNote = {
    ...parties,
    number: `${number}-${id}`,
    issuedAt: at,
    currency: invoice.currency.toUpperCase(),
    lines: [{ text: `${reason} of invoice ${number}`, quantity: 1, amountMinorUnits: BigInt(amount) }],
    taxes: taxShareOf(invoice, amount),
    totalMinorUnits: BigInt(amount),
    of: { kind: "invoice", number },
    reason,
    paidWith: invoice.paidWith ?? undefined,
    reference: id,
  };
  const { creditNotePdf } = await import("@bursar/documents/receipt");
  return { fileName: `credit-note-${id}.pdf`, pdf: await creditNotePdf(note) };
}

/** The refund's part of the invoice's taxes, rounded to the nearest minor unit: within what is paid back. */
function taxShareOf({ content, amountDue }: Invoice, amount: number): NonNullable<Receipt["taxes"]> {
  return (content?.taxes ?? []).map(({ label, amount: tax }) => ({
    label,
    amountMinorUnits: BigInt(Math.round((tax * amount) / amountDue)),
    isIncluded: true,
  }));
}
