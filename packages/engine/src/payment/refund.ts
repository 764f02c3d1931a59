import type { AccountId, HoldId, PaymentId } from "@bursar/contract/ids";
import { addSeconds } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import { readAccount } from "../ledger/store-load.ts";
import { type AdvanceDeps, advance } from "./advance.ts";
import { isGranted, type Payment } from "./payment.ts";
import { readPayment } from "./store.ts";
import { readRefunds } from "./store-refunds.ts";

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
    readonly by: string;
    readonly reason: string;
  },
): Promise<RefundPaymentOutcome> {
  const { accountId, paymentId, id, by, reason } = request;
  const payment = await readPayment(deps.pool, accountId, paymentId);
  if (payment === null) return { kind: "payment_unknown" };
  if (!isGranted(payment.state) || payment.intentId === null)
    return { kind: "refund_refused", message: `the payment is ${payment.state}: nothing was paid` };
  const refunds = await readRefunds(deps.pool, payment);
  const refunded = refunds.reduce((sum, each) => (each.failed ? sum : sum + each.amount), 0);
  const amount = request.amount ?? payment.amount - refunded;
  if (amount <= 0) return { kind: "refunded", payment };
  if (amount > payment.amount)
    return { kind: "refund_refused", message: `amount: must be at most ${payment.amount}, what was paid` };
  const { intentId } = payment;
  const outcome = await deps.payments.refund({ refundId: id, intentId, amount, by, reason });
  if (outcome.kind === "refused") return { kind: "refund_refused", message: outcome.message };
  return { kind: "refunded", payment: await advance(deps, payment) };
}

/** How long after paying somebody may give unused credits back. */
const RETURN_MICROSECONDS = 14 * 86_400 * 1_000_000;
/** Longer than the provider takes; a dead process leaves the credits to their owner again. */
const HOLD_SECONDS = 600;

/** Pays back what is unused of a purchase, to its owner, within 14 days: the money in proportion to the credits, rounded
 *  down. The credits are held while the provider is asked, so that they cannot be spent as well.
 *  Outcomes, first match wins: payment_unknown, refund_refused, refunded. Throws: PaymentsUnavailable. */
export async function refundUnused(
  deps: AdvanceDeps,
  request: {
    readonly accountId: AccountId;
    readonly paymentId: PaymentId;
    readonly id: string;
    readonly by: string;
  },
): Promise<RefundPaymentOutcome> {
  const { accountId, paymentId, id, by } = request;
  const payment = await readPayment(deps.pool, accountId, paymentId);
  if (payment === null) return { kind: "payment_unknown" };
  const now = deps.clock.now();
  if (now - payment.createdAt > RETURN_MICROSECONDS)
    return { kind: "refund_refused", message: "the 14 days for giving credits back are over" };
  const holdId = `hold_return_${id}` as HoldId;
  const held = await holdUnused(deps, payment, holdId);
  if (held === 0n) return { kind: "refund_refused", message: "nothing is left of this purchase" };
  const release = () =>
    deps.ledger.submit({ kind: "release", accountId, holdId, by, note: "Credits were given back" });
  try {
    const amount = Number((BigInt(payment.amount) * held) / payment.credits);
    if (amount < 1)
      return { kind: "refund_refused", message: "what is left is worth less than the smallest coin" };
    return await refundPayment(deps, { ...request, amount, reason: "Unused credits given back" });
  } finally {
    // What the refund has taken meanwhile became a debt, which this pays.
    await release();
  }
}

/** All that is free of the purchase's own credits; 0: none is. */
async function holdUnused(deps: AdvanceDeps, payment: Payment, id: HoldId): Promise<MicroCredits> {
  const { accountId, grantId } = payment;
  const account = await readAccount(deps.pool, accountId);
  const amount = account?.grants.find((open) => open.id === grantId)?.remaining ?? 0n;
  if (amount === 0n) return 0n;
  const expiresAt = addSeconds(deps.clock.now(), HOLD_SECONDS);
  const outcome = await deps.ledger.submit({
    ...{ kind: "hold", accountId, id, grantId, amount, expiresAt, by: "system:payments" },
    asked: `return ${payment.id}`,
    note: "Credits are given back",
  });
  return outcome.kind === "done" || outcome.kind === "duplicate" ? outcome.result.amount : 0n;
}
