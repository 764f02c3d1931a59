import { type AccountId, newRequestId, type PaymentId } from "@bursar/contract/ids";
import type { Fonts } from "@bursar/documents/page";
import type { CreditNote, Party, Receipt } from "@bursar/documents/receipt";
import { isGranted, type Payment } from "@bursar/engine/payment/payment";
import { descriptionOf } from "@bursar/engine/payment/record";
import { readPayment } from "@bursar/engine/payment/store";
import { readAccountName } from "@bursar/engine/payment/store-customers";
import { readRefunds } from "@bursar/engine/payment/store-refunds";
import type { Context, Hono } from "hono";
import { accountFor, authenticate } from "../rest/authenticate.ts";
import type { RestDeps } from "../rest/context.ts";
import { unexpected } from "../rest/mount.ts";
import { answerProblem, isProblem, type Problem } from "../rest/problem.ts";

export interface DocumentSettings {
  /** null: nobody is named as the seller, so no documents are written. */
  readonly seller: Party | null;
  /** A font file instead of the one that is brought along. */
  readonly documentFont: string | null;
}

type Deps = RestDeps & { readonly documents: DocumentSettings };

/** Receipts and credit notes as PDF: made anew for every download, the same bytes each time. */
export function mountDocuments(app: Hono, deps: Deps): void {
  const mount = (path: string, make: typeof receiptOf) =>
    app.get(path, async (context) => {
      const requestId = newRequestId();
      const made = await perform(context, deps, make).catch((error: unknown) =>
        unexpected(deps, error, requestId, path),
      );
      return isProblem(made) ? answerProblem(made, requestId) : sent(made, requestId);
    });
  mount("/v1/payments/:id/receipt.pdf", receiptOf);
  mount("/v1/payments/:id/credit-note.pdf", creditNoteOf);
}

interface Made {
  readonly fileName: string;
  readonly pdf: Buffer;
}

async function perform(context: Context, deps: Deps, make: typeof receiptOf): Promise<Made | Problem> {
  const principal = await authenticate(deps, context.req.raw.headers, true);
  if (isProblem(principal)) return principal;
  const accountId = accountFor("account", principal, context.req.query("accountId"));
  if (accountId === null || isProblem(accountId)) return accountId ?? unknown(context);
  const { seller } = deps.documents;
  if (seller === null) return NO_SELLER;
  const payment = await readPayment(deps.pool, accountId, (context.req.param("id") ?? "") as PaymentId);
  if (payment === null) return unknown(context);
  if (!isGranted(payment.state))
    return { ...unknown(context), message: `There is no receipt: the payment is ${payment.state}` };
  return make(deps, payment, await baseOf(deps, payment, accountId, seller), context);
}

const NO_SELLER: Problem = {
  problem: "not_for_sale",
  message: "No seller is named on documents: set BURSAR_SELLER_NAME",
};

const unknown = (context: Context): Problem => ({
  problem: "payment_unknown",
  message: `There is no payment ${context.req.param("id")} on this account`,
  param: "id",
});

async function baseOf(deps: Deps, payment: Payment, accountId: AccountId, seller: Party): Promise<Receipt> {
  const { amount, currency, intentId, id, chargedAt, createdAt } = payment;
  const { documentFont } = deps.documents;
  const fonts: Fonts | undefined =
    documentFont === null ? undefined : { regular: documentFont, bold: documentFont };
  return {
    number: id,
    issuedAt: chargedAt ?? createdAt,
    seller,
    buyer: { name: (await readAccountName(deps.pool, accountId)) ?? accountId, lines: [accountId] },
    currency: currency.toUpperCase(),
    lines: [{ text: descriptionOf(payment), quantity: 1, amountMinorUnits: BigInt(amount) }],
    totalMinorUnits: BigInt(amount),
    reference: intentId ?? undefined,
    fonts,
  };
}

async function receiptOf(
  _: Deps,
  { id }: Payment,
  base: Receipt,
  _context: Context,
): Promise<Made | Problem> {
  // Loaded when the first document is asked for.
  const { receiptPdf } = await import("@bursar/documents/receipt");
  return { fileName: `receipt-${id}.pdf`, pdf: await receiptPdf(base) };
}

/** The refund that is named, else the latest. */
async function creditNoteOf(
  deps: Deps,
  payment: Payment,
  base: Receipt,
  context: Context,
): Promise<Made | Problem> {
  const named = context.req.query("refund");
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
    ofReceipt: payment.id,
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
