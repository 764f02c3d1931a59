import type { AccountId, PaymentId } from "@bursar/contract/ids";
import { type AdvanceDeps, advance } from "./advance.ts";
import { isGranted, type Payment } from "./payment.ts";
import { readPayment } from "./store.ts";
import { readAftermath } from "./store-refunds.ts";

export type RefundPaymentOutcome =
  | { readonly kind: "refunded"; readonly payment: Payment }
  | { readonly kind: "payment_unknown" }
  | { readonly kind: "refund_refused"; readonly message: string };

/** Pays back some or all of a payment; its credits are taken in proportion. The same id again does nothing more.
 *  Outcomes, first match wins: payment_unknown, refund_refused, refunded. Throws: PaymentsUnavailable. */
export async function refundPayment(
  deps: AdvanceDeps,
  request: {
    readonly accountId: AccountId;
    readonly paymentId: PaymentId;
    /** The idempotency key. */
    readonly id: string;
    /** In the currency's minor unit; absent: all that is left. */
    readonly amount?: number | undefined;
  },
): Promise<RefundPaymentOutcome> {
  const { accountId, paymentId, id } = request;
  const payment = await readPayment(deps.pool, accountId, paymentId);
  if (payment === null) return { kind: "payment_unknown" };
  if (!isGranted(payment.state) || payment.intentId === null)
    return { kind: "refund_refused", message: `the payment is ${payment.state}: nothing was paid` };
  const refunded = (await readAftermath(deps.pool, accountId, [paymentId])).get(paymentId)?.refunded ?? 0;
  const amount = request.amount ?? payment.amount - refunded;
  if (amount <= 0) return { kind: "refunded", payment };
  if (amount > payment.amount)
    return { kind: "refund_refused", message: `amount: must be at most ${payment.amount}, what was paid` };
  const outcome = await deps.payments.refund({ refundId: id, intentId: payment.intentId, amount });
  if (outcome.kind === "refused") return { kind: "refund_refused", message: outcome.message };
  return { kind: "refunded", payment: await advance(deps, payment) };
}
