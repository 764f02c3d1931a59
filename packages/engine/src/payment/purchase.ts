import type { Currency } from "@bursar/contract/fiat";
import { type AccountId, newLink, type PaymentId } from "@bursar/contract/ids";
import { addSeconds } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type { Deps } from "../deps.ts";
import { type Quote, type Quoting, quoteCredits, quotePack } from "../price/credit-price.ts";
import { advance } from "./advance.ts";
import type { AdvanceDeps } from "./deps.ts";
import { isUsable, methodsOf } from "./methods.ts";
import { grantIdOf, type NewPayment, type Payment } from "./payment.ts";
import { PaymentsUnavailable } from "./payments.ts";
import { insertPayment, putOff, readPayment } from "./store.ts";
import { readAccountName } from "./store-customers.ts";

export interface PurchaseRequest {
  readonly accountId: AccountId;
  readonly id: PaymentId;
  /** A tier or pack of the price book, or an amount. */
  readonly what: { readonly pack: string } | { readonly credits: MicroCredits };
  readonly currency: Currency;
  /** "default": the saved method; "checkout": a page; absent: the saved one where there is one, else a page. */
  readonly paymentMethod?: string | undefined;
  /** Where the page leads back to, given the link of the payment. */
  readonly returnUrl: (link: string) => string;
  readonly by: string;
  readonly requestId: string;
}

export type PurchaseOutcome =
  /** However far it came: paid, failed, or waiting for a person on `url`. */
  | { readonly kind: "payment"; readonly payment: Payment; readonly duplicate: boolean }
  | { readonly kind: "not_for_sale" }
  | Exclude<Quoting, Quote>
  | { readonly kind: "account_unknown"; readonly accountId: AccountId }
  | { readonly kind: "payment_method_unknown" }
  | { readonly kind: "key_conflict"; readonly key: string };

const LEASE_SECONDS = 60;

/** Sells credits, once under the caller's id. The payment is written down before anything is charged, and whatever
 *  crashes after that, what was paid arrives. Buying never switches auto top-up on.
 *  Throws: PaymentsUnavailable before anything is written down or when there is no page yet; ask again under the id. */
export async function purchase(
  deps: AdvanceDeps & Pick<Deps, "prices">,
  request: PurchaseRequest,
): Promise<PurchaseOutcome> {
  const { accountId, id } = request;
  const asked = JSON.stringify([
    "pack" in request.what ? request.what.pack : String(request.what.credits),
    request.currency,
    request.paymentMethod ?? null,
  ]);
  const before = await readPayment(deps.pool, accountId, id);
  if (before !== null) return repeated(deps, before, asked);
  const sales = (await deps.prices.current()).body.credits;
  if (sales === undefined) return { kind: "not_for_sale" };
  const { what, currency } = request;
  const quote =
    "pack" in what ? quotePack(sales, what.pack, currency) : quoteCredits(sales, what.credits, currency);
  if (quote.kind !== "quoted") return quote;
  if ((await readAccountName(deps.pool, accountId)) === null) return { kind: "account_unknown", accountId };
  const method = await methodFor(deps, request);
  if (method === "unknown") return { kind: "payment_method_unknown" };
  const payment = paymentFor(deps, request, { quote, asked, method });
  const isNew = await insertPayment(
    deps.pool,
    payment,
    method === null ? "wanted" : "charging",
    LEASE_SECONDS,
  );
  const written = (await readPayment(deps.pool, accountId, id))!;
  if (!isNew) return repeated(deps, written, asked);
  return { kind: "payment", payment: await carryOn(deps, written), duplicate: false };
}

/** null: on a page. */
async function methodFor(
  deps: AdvanceDeps,
  request: PurchaseRequest,
): Promise<{ id: string } | null | "unknown"> {
  const { accountId, paymentMethod } = request;
  if (paymentMethod === "checkout") return null;
  const now = deps.clock.now();
  const usable = (await methodsOf(deps, accountId)).filter((method) => isUsable(method, now));
  if (paymentMethod === undefined) return usable.find((method) => method.isDefault) ?? null;
  if (paymentMethod === "default") return usable[0] ?? "unknown";
  return usable.find((method) => method.id === paymentMethod) ?? "unknown";
}

function paymentFor(
  deps: AdvanceDeps,
  request: PurchaseRequest,
  { quote, asked, method }: { quote: Quote; asked: string; method: { id: string } | null },
): NewPayment {
  const { accountId, id, currency, by, requestId } = request;
  const { credits, amount } = quote;
  const link = newLink();
  return {
    ...{ accountId, id, kind: "purchase", credits, amount, currency, asked, link, by, requestId },
    returnUrl: request.returnUrl(link),
    method: method === null ? "checkout" : "saved",
    grantId: grantIdOf(id),
    paymentMethodId: method?.id ?? null,
    netBefore: null,
    threshold: null,
    createdAt: deps.clock.now(),
  };
}

async function repeated(deps: AdvanceDeps, payment: Payment, asked: string): Promise<PurchaseOutcome> {
  if (payment.kind !== "purchase" || payment.asked !== asked)
    return { kind: "key_conflict", key: payment.id };
  const needsPage = payment.method === "checkout" && payment.url === null && payment.state === "wanted";
  const now = needsPage ? await advance(deps, payment) : payment;
  return { kind: "payment", payment: now, duplicate: true };
}

/** Where the provider is silent, a charge goes on by itself; a page that nobody could be led to does not matter. */
async function carryOn(deps: AdvanceDeps, payment: Payment): Promise<Payment> {
  try {
    return await advance(deps, payment);
  } catch (error) {
    if (!(error instanceof PaymentsUnavailable)) throw error;
    await putOff(deps.pool, payment, { dueAt: addSeconds(deps.clock.now(), 2), intentId: null });
    if (payment.method === "checkout") throw error;
    return payment;
  }
}
