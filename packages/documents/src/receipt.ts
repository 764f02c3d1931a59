import { formatInstant, type Instant } from "@bursar/contract/instant";
import { drawInvoice } from "./invoice.ts";
import { moneyText } from "./money.ts";
import { drawDocument, type Fonts } from "./page.ts";
import type { Party } from "./party.ts";

export interface Line {
  readonly text: string;
  readonly quantity: number;
  /** For all of them. */
  readonly amountMinorUnits: bigint;
}

export interface Tax {
  /** "VAT 19 %". */
  readonly label: string;
  readonly amountMinorUnits: bigint;
  /** True when it is a part of the lines' amounts, false when it comes on top of them. */
  readonly isIncluded: boolean;
}

export interface Receipt {
  readonly number: string;
  readonly issuedAt: Instant;
  readonly seller: Party;
  readonly buyer: Party;
  /** ISO 4217, such as EUR; amounts are in its minor units. */
  readonly currency: string;
  readonly lines: readonly Line[];
  readonly taxes?: readonly Tax[] | undefined;
  readonly totalMinorUnits: bigint;
  /** How it was paid, such as "Visa •••• 4242". */
  readonly paidWith?: string | undefined;
  /** The payment's id at its provider. */
  readonly reference?: string | undefined;
  /** Small print at the end. */
  readonly notes?: readonly string[] | undefined;
  readonly fonts?: Fonts | undefined;
}

export interface CreditNote extends Receipt {
  /** The number of what it takes back. */
  readonly of: { readonly kind: "receipt" | "invoice"; readonly number: string };
  readonly reason: string;
}

/** An invoice for a period, paid or not. */
export interface PeriodInvoice extends Receipt {
  readonly periodStart: Instant;
  readonly periodEnd: Instant;
  /** undefined: it is not paid. */
  readonly paidAt?: Instant | undefined;
  /** What its payer got, such as "550 credits". */
  readonly given?: string | undefined;
}

/** A receipt for a payment, as PDF. The same receipt is the same bytes, so it can be made anew for every download.
 *  Throws TypeError: the lines and taxes do not add up to the total. */
export function receiptPdf(receipt: Receipt): Promise<Buffer> {
  const facts: [string, string | undefined][] = [
    ["Number", receipt.number],
    ["Date of payment", dayOf(receipt.issuedAt)],
    ["Paid with", receipt.paidWith],
    ["Reference", receipt.reference],
  ];
  return drawn(receipt, { title: "Receipt", totalLabel: "Paid", facts });
}

/** A credit note for money that was paid back; amounts are positive. Otherwise like a receipt. */
export function creditNotePdf(note: CreditNote): Promise<Buffer> {
  const facts: [string, string | undefined][] = [
    ["Number", note.number],
    ["Date", dayOf(note.issuedAt)],
    [note.of.kind === "receipt" ? "For receipt" : "For invoice", note.of.number],
    ["Reason", note.reason],
    ["Paid back to", note.paidWith],
    ["Reference", note.reference],
  ];
  return drawn(note, { title: "Credit note", totalLabel: "Refunded", facts });
}

/** An invoice with its period, whose total says whether it is paid or due. Otherwise like a receipt; a line may be
 *  negative, for what is given back of an earlier period. */
export function invoicePdf(invoice: PeriodInvoice): Promise<Buffer> {
  const { paidAt, periodStart, periodEnd } = invoice;
  const facts: [string, string | undefined][] = [
    ["Number", invoice.number],
    ["Date", dayOf(invoice.issuedAt)],
    ["Period", `${dayOf(periodStart)} to ${dayOf(periodEnd)}`],
    ["Paid on", paidAt === undefined ? "not paid" : dayOf(paidAt)],
    ["Paid with", invoice.paidWith],
    ["Credits", invoice.given],
    ["Reference", invoice.reference],
  ];
  return drawn(invoice, { title: "Invoice", totalLabel: paidAt === undefined ? "Due" : "Paid", facts });
}

interface Wording {
  readonly title: string;
  readonly totalLabel: string;
  readonly facts: readonly [string, string | undefined][];
}

async function drawn(receipt: Receipt, { title, totalLabel, facts }: Wording): Promise<Buffer> {
  checkSum(receipt);
  const { number, seller, issuedAt, fonts } = receipt;
  const money = (minorUnits: bigint) => moneyText(minorUnits, receipt.currency);
  const foot = [seller.name, ...seller.lines, seller.taxId].filter(Boolean).join(" · ");
  const file = { title: `${title} ${number}`, author: seller.name, at: issuedAt, fonts };
  return drawDocument(file, foot, (page) => {
    drawInvoice(page, {
      title,
      seller,
      buyer: receipt.buyer,
      facts: facts.filter((fact): fact is [string, string] => fact[1] !== undefined && fact[1] !== ""),
      rows: receipt.lines.map(({ text, quantity, amountMinorUnits }) => [
        text,
        String(quantity),
        money(amountMinorUnits),
      ]),
      sums: sumsOf(receipt, totalLabel),
      notes: receipt.notes ?? [],
    });
  });
}

function sumsOf({ taxes = [], lines, currency, totalMinorUnits }: Receipt, totalLabel: string) {
  const money = (minorUnits: bigint) => moneyText(minorUnits, currency);
  const added = taxes.filter(({ isIncluded }) => !isIncluded);
  const subtotal: [string, string][] = added.length === 0 ? [] : [["Subtotal", money(sumOf(lines))]];
  const onTop = added.map((tax): [string, string] => [tax.label, money(tax.amountMinorUnits)]);
  const within = taxes
    .filter(({ isIncluded }) => isIncluded)
    .map((tax): [string, string] => [`including ${tax.label}`, money(tax.amountMinorUnits)]);
  return {
    before: [...subtotal, ...onTop],
    total: [totalLabel, money(totalMinorUnits)] as const,
    after: within,
  };
}

function sumOf(parts: readonly { readonly amountMinorUnits: bigint }[]): bigint {
  return parts.reduce((sum, { amountMinorUnits }) => sum + amountMinorUnits, 0n);
}

function checkSum({ number, lines, taxes = [], totalMinorUnits }: Receipt): void {
  const sum = sumOf(lines) + sumOf(taxes.filter(({ isIncluded }) => !isIncluded));
  if (sum === totalMinorUnits) return;
  throw new TypeError(`totalMinorUnits: must be ${sum}, what the lines of ${number} add up to`);
}

function dayOf(instant: Instant): string {
  return formatInstant(instant).slice(0, 10);
}
