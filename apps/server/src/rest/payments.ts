import { CURRENCIES, type Currency } from "@bursar/contract/fiat";
import { type AccountId, newOperationId, newPaymentId, type PaymentId } from "@bursar/contract/ids";
import type { CreditSales } from "@bursar/contract/operations/prices";
import { credits, iso } from "@bursar/contract/shapes";
import { findAccount } from "@bursar/engine/account/store";
import { isOpen, type Payment } from "@bursar/engine/payment/payment";
import { type PurchaseOutcome, purchase } from "@bursar/engine/payment/purchase";
import {
  type RefundPaymentOutcome,
  refundPayment as refund,
  refundUnused as returnUnused,
} from "@bursar/engine/payment/refund";
import { listPayments as list, readPayment } from "@bursar/engine/payment/store";
import { readAftermath } from "@bursar/engine/payment/store-refunds";
import { priceOf } from "@bursar/engine/price/credit-price";
import type { Handler, RestDeps, Success } from "./context.ts";
import { formatCursor, readCursor } from "./cursor.ts";
import { isProblem, type Problem, refused } from "./problem.ts";
import { withPayments } from "./with-payments.ts";

export const listPacks: Handler<"listPacks"> = async ({ deps, query }) => {
  const sales = (await deps.prices.current()).body.credits;
  if (sales === undefined) return NOT_FOR_SALE;
  const { minimum, maximum } = sales;
  const quote = query.credits === undefined ? null : quoteAnswer(sales, query.credits);
  if (isProblem(quote)) return quote;
  return {
    answer: {
      minimum: credits(minimum),
      maximum: credits(maximum),
      expiresAt: null,
      tiers: sales.tiers.map((tier) => ({
        ...soldAnswer(tier),
        recommended: tier.recommended,
        monthlyBonus: credits(tier.bonus),
      })),
      packs: sales.packs.map((pack) => ({ ...soldAnswer(pack), recommended: false, monthlyBonus: "0" })),
      quote,
    },
  };
};

const NOT_FOR_SALE: Problem = {
  problem: "not_for_sale",
  message: "No credits are sold here: the price book names no price for them",
};

function soldAnswer({ id, name, credits: amount, prices }: CreditSales["packs"][number]) {
  return { id, name: name ?? null, credits: credits(amount), prices: pricesAnswer((of) => prices[of]) };
}

function pricesAnswer(priceIn: (currency: Currency) => number | undefined) {
  const prices: Partial<Record<Currency, number>> = {};
  for (const currency of CURRENCIES) {
    const price = priceIn(currency);
    if (price !== undefined) prices[currency] = price;
  }
  return prices;
}

function quoteAnswer(sales: CreditSales, amount: bigint) {
  if (amount < sales.minimum || amount > sales.maximum) return outOfRange(sales);
  const prices = pricesAnswer((currency) => priceOf(sales, amount, currency) ?? undefined);
  return { credits: credits(amount), prices };
}

function outOfRange({ minimum, maximum }: { minimum: bigint; maximum: bigint }): Problem {
  const message = `must be from ${credits(minimum)} to ${credits(maximum)} credits`;
  return { problem: "not_for_sale", message, param: "credits" };
}

export const createPurchase: Handler<"createPurchase"> = (call) =>
  withPayments(call.deps, async (deps) => {
    const { body, accountId, idempotencyKey, principal, requestId } = call;
    const id = (body.id ?? idempotencyKey ?? newPaymentId()) as PaymentId;
    const { pack, credits: amount, currency, paymentMethod } = body;
    const outcome = await purchase(deps, {
      ...{ accountId, id, currency, paymentMethod, requestId, by: principal.by },
      what: pack === undefined ? { credits: amount! } : { pack },
      returnUrl: (link) => body.returnUrl ?? `${deps.identity.url()}/pay/${link}/done`,
    });
    if (outcome.kind !== "payment") return purchaseProblem(outcome);
    if (outcome.payment.state === "failed") return paymentFailed(outcome.payment);
    return { answer: await answerOf(deps, outcome.payment), repeated: outcome.duplicate };
  });

function purchaseProblem(outcome: Exclude<PurchaseOutcome, { kind: "payment" }>): Problem {
  switch (outcome.kind) {
    case "not_for_sale":
      return NOT_FOR_SALE;
    case "pack_unknown": {
      const message = `must be one of ${outcome.known.join(", ")}`;
      return { problem: "not_for_sale", message, param: "pack" };
    }
    case "out_of_range":
      return outOfRange(outcome);
    case "currency_not_sold":
      return { problem: "not_for_sale", message: `is not sold in ${outcome.currency}`, param: "currency" };
    case "payment_method_unknown":
      return methodUnknown;
    case "account_unknown":
    case "key_conflict":
      return refused(outcome);
  }
}

export const methodUnknown: Problem = {
  problem: "payment_method_unknown",
  message: "must be a saved payment method that has not expired: GET /v1/payment-methods lists them",
  param: "paymentMethod",
};

function paymentFailed({ id, failure }: Payment): Problem {
  const message = `The payment was declined: ${failure?.message ?? "no reason was given"}`;
  return { problem: "payment_failed", message, extra: { paymentId: id, reason: failure?.code ?? null } };
}

export const listPayments: Handler<"listPayments"> = async ({ deps, accountId, query }) => {
  const cursor = readCursor(query.cursor);
  if (isProblem(cursor)) return cursor;
  const after = cursor === null ? null : { createdAt: cursor.at, id: cursor.id };
  const found = await list(deps.pool, { accountId, kind: null, limit: query.limit, after });
  if (found.length === 0 && (await findAccount(deps.pool, accountId)) === null)
    return refused({ kind: "account_unknown", accountId });
  return {
    answer: {
      payments: await answersOf(deps, accountId, found),
      nextCursor: nextCursorOf(found, query.limit),
    },
  };
};

export function nextCursorOf(page: readonly Payment[], limit: number): string | null {
  const last = page.at(-1);
  return page.length === limit && last !== undefined
    ? formatCursor({ at: last.createdAt, id: last.id })
    : null;
}

export const getPayment: Handler<"getPayment"> = async ({ deps, accountId, params }) => {
  const found = await readPayment(deps.pool, accountId, params.id as PaymentId);
  return found === null ? paymentUnknown(params.id) : { answer: await answerOf(deps, found) };
};

function paymentUnknown(id: string): Problem {
  return { problem: "payment_unknown", message: `There is no payment ${id} on this account`, param: "id" };
}

export const refundPayment: Handler<"refundPayment"> = (call) =>
  withPayments(call.deps, async (deps) => {
    const { body, params, idempotencyKey, principal } = call;
    const accountId = body.accountId as AccountId;
    const { amount, reason } = body;
    const named = body.id ?? idempotencyKey;
    // All that is left can be asked for twice; a part would be paid back twice.
    if (amount !== undefined && named === undefined) return idRequired;
    const id = named ?? newOperationId();
    const facts = { accountId, paymentId: params.id as PaymentId, id, amount, by: principal.by, reason };
    const outcome = await refund(deps, facts);
    return refundedAnswer(deps, params.id, outcome);
  });

async function refundedAnswer(
  deps: RestDeps,
  id: string,
  outcome: RefundPaymentOutcome,
): Promise<{ answer: Answer } | Problem> {
  if (outcome.kind === "payment_unknown") return paymentUnknown(id);
  if (outcome.kind === "key_conflict") return refused(outcome);
  if (outcome.kind === "refund_refused")
    return { problem: "refund_refused", message: outcome.message, param: "amount" };
  return { answer: await answerOf(deps, outcome.payment) };
}

const idRequired: Problem = {
  problem: "invalid_request",
  message: "id: is required with an amount, or an Idempotency-Key, so that the same refund is not made twice",
  param: "id",
};

const ownerRequired: Problem = {
  problem: "person_required",
  message: "Sign in as the account's owner: its API key may not give credits back",
};

/** Programs hold an account's key, so it takes a person, or an administrator. */
export const refundUnused: Handler<"refundUnused"> = (call) =>
  withPayments(call.deps, async (deps) => {
    const { body, params, accountId, idempotencyKey, principal } = call;
    if (principal.kind !== "admin" && principal.person === undefined) return ownerRequired;
    const id = body.id ?? idempotencyKey ?? newOperationId();
    const facts = { accountId, paymentId: params.id as PaymentId, id, by: principal.by };
    return refundedAnswer(deps, params.id, await returnUnused(deps, facts));
  });

type Answer = Success<"getPayment">["answer"];

async function answerOf(deps: RestDeps, payment: Payment): Promise<Answer> {
  return (await answersOf(deps, payment.accountId, [payment]))[0]!;
}

export async function answersOf(
  deps: Pick<RestDeps, "pool"> & Addressed,
  accountId: AccountId,
  payments: readonly Payment[],
): Promise<Answer[]> {
  const ids = payments.map(({ id }) => id);
  const aftermath = await readAftermath(deps.pool, accountId, ids);
  return payments.map((payment) => {
    const { id, kind, state, amount, currency, grantId, failure } = payment;
    const { refunds = [], isDisputed = false } = aftermath.get(id) ?? {};
    const refunded = refunds.reduce((sum, each) => (each.failed ? sum : sum + each.amount), 0);
    return {
      ...{ id, kind, state, amount, currency, grantId, refunded, disputed: isDisputed, failure },
      credits: credits(payment.credits),
      refunds: refunds.map((each) => ({
        ...{ id: each.id, amount: each.amount, failed: each.failed, by: each.by, reason: each.reason },
        credits: credits(each.credits),
        at: iso(each.at)!,
      })),
      expiresAt: null,
      url: personUrl(deps, payment),
      createdAt: iso(payment.createdAt)!,
      endedAt: iso(payment.endedAt),
    };
  });
}

/** What knows this server's public address. */
interface Addressed {
  readonly identity: Pick<RestDeps["identity"], "url">;
}

/** Where a person pays or confirms, while that is open. */
export function personUrl(deps: Addressed, payment: Payment): string | null {
  if (!isOpen(payment.state)) return null;
  return payment.state === "requires_action" ? `${deps.identity.url()}/pay/${payment.link}` : payment.url;
}
