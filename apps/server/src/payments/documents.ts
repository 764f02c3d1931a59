import { type AccountId, newRequestId, type PaymentId } from "@bursar/contract/ids";
import type { Operation } from "@bursar/contract/operation";
import { v1 } from "@bursar/contract/v1";
import type { Fonts } from "@bursar/documents/page";
import type { Party } from "@bursar/documents/party";
import type { CreditNote, Receipt } from "@bursar/documents/receipt";
import { isGranted, type Payment } from "@bursar/engine/payment/payment";
import { descriptionOf } from "@bursar/engine/payment/record";
import { readPayment } from "@bursar/engine/payment/store";
import { readAccountName } from "@bursar/engine/payment/store-customers";
import { readRefunds } from "@bursar/engine/payment/store-refunds";
import type { Context, Hono } from "hono";
import { authenticate } from "../rest/authenticate.ts";
import { nulIn } from "../rest/input.ts";
import { payerOf } from "../rest/mount.ts";
import { answerProblem, isProblem, type Problem } from "../rest/problem.ts";
import { unexpected } from "../rest/unexpected.ts";
import type { Asked, DocumentDeps, Made, Make } from "./document.ts";
import { invoiceCreditNoteOf, invoiceOf, ofInvoice } from "./invoice-documents.ts";

/** Receipts, invoices and credit notes as PDF: made anew for every download, the same bytes each time. */
export function mountDocuments(app: Hono, deps: DocumentDeps): void {
  const mount = (path: string, operation: Operation, make: Make) =>
    app.get(path, async (context) => {
      const requestId = newRequestId();
      const made = await perform(context, deps, operation, make).catch((error: unknown) =>
        unexpected(deps, error, requestId, path),
      );
      return isProblem(made) ? answerProblem(made, requestId) : sent(made, requestId);
    });
  mount("/v1/payments/:id/receipt.pdf", v1.getPayment, ofPayment(receiptOf));
  mount("/v1/payments/:id/credit-note.pdf", v1.getPayment, ofPayment(creditNoteOf));
  mount("/v1/invoices/:id/invoice.pdf", v1.listInvoices, ofInvoice(invoiceOf));
  mount("/v1/invoices/:id/credit-note.pdf", v1.listInvoices, ofInvoice(invoiceCreditNoteOf));
}

/** For whoever may call the operation that shows the same in fields. */
async function perform(
  context: Context,
  deps: DocumentDeps,
  operation: Operation,
  make: Make,
): Promise<Made | Problem> {
  const principal = await authenticate(deps, context.req.raw.headers, true);
  if (isProblem(principal)) return principal;
  const unstorable = nulIn({ ...context.req.param(), ...context.req.query() });
  if (unstorable !== null) return unstorable;
  const named = context.req.query("accountId");
  const paying = await payerOf(context, deps, { operation, principal, named });
  if (isProblem(paying)) return paying;
  const { accountId } = paying;
  const { seller } = deps.documents;
  if (seller === null) return NO_SELLER;
  const parties = await partiesOf(deps, accountId, seller);
  const [id, refund] = [context.req.param("id") ?? "", context.req.query("refund")];
  return make(deps, { accountId, id, refund, parties });
}

async function partiesOf(deps: DocumentDeps, accountId: AccountId, seller: Party): Promise<Asked["parties"]> {
  const { documentFont } = deps.documents;
  const fonts: Fonts | undefined =
    documentFont === null ? undefined : { regular: documentFont, bold: documentFont };
  const name = (await readAccountName(deps.pool, accountId)) ?? accountId;
  return { seller, buyer: { name, lines: [accountId] }, fonts };
}

const NO_SELLER: Problem = {
  problem: "not_for_sale",
  message: "No seller is named on documents: set BURSAR_SELLER_NAME",
};

const unknown = (id: string): Problem => ({
  problem: "payment_unknown",
  message: `There is no payment ${id} on this account`,
  param: "id",
});

function ofPayment(
  make: (deps: DocumentDeps, payment: Payment, base: Receipt, asked: Asked) => Promise<Made | Problem>,
): Make {
  return async (deps, asked) => {
    const payment = await readPayment(deps.pool, asked.accountId, asked.id as PaymentId);
    if (payment === null) return unknown(asked.id);
    if (!isGranted(payment.state))
      return { ...unknown(asked.id), message: `There is no receipt: the payment is ${payment.state}` };
    return make(deps, payment, baseOf(payment, asked.parties), asked);
  };
}

function baseOf(payment: Payment, parties: Asked["parties"]): Receipt {
  const { amount, currency, intentId, id, chargedAt, createdAt } = payment;
  return {
    ...parties,
    number: id,
    issuedAt: chargedAt ?? createdAt,
    currency: currency.toUpperCase(),
    lines: [{ text: descriptionOf(payment), quantity: 1, amountMinorUnits: BigInt(amount) }],
    totalMinorUnits: BigInt(amount),
    reference: intentId ?? undefined,
  };
}

async function receiptOf(_: DocumentDeps, { id }: Payment, base: Receipt): Promise<Made> {
  // Loaded when the first document is asked for.
  const { receiptPdf } = await import("@bursar/documents/receipt");
  return { fileName: `receipt-${id}.pdf`, pdf: await receiptPdf(base) };
}

/** The refund that is named, else the latest. */
async function creditNoteOf(
  deps: DocumentDeps,
  payment: Payment,
  base: Receipt,
  { refund: named }: Asked,
): Promise<Made | Problem> {
  const refunds = (await readRefunds(deps.pool, payment)).filter(({ failed }) => !failed);
  const refund = named === undefined ? refunds.at(-1) : refunds.find(({ id }) => id === named);
  if (refund === undefined)
    return {
      problem: "payment_unknown",
      message: "There is no such refund of this payment",
      param: "refund",
    };
  const amount = BigInt(refund.amount);
  const note: CreditNote = {
    ...base,
    number: `${payment.id}-${refund.id}`,
    issuedAt: refund.at,
    lines: [{ text: `Refund of ${descriptionOf(payment)}`, quantity: 1, amountMinorUnits: amount }],
    totalMinorUnits: amount,
    of: { kind: "receipt", number: payment.id },
    reason: "Refund",
    reference: refund.id,
  };
  const { creditNotePdf } = await import("@bursar/documents/receipt");
  return { fileName: `credit-note-${refund.id}.pdf`, pdf: await creditNotePdf(note) };
}

function sent({ fileName, pdf }: Made, requestId: string): Response {
  return new Response(new Uint8Array(pdf), {
    headers: {
      "content-type": "application/pdf",
      "content-disposition": `attachment; filename="${fileName.replace(/[^\w.-]/g, "_")}"`,
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "x-request-id": requestId,
    },
  });
}
