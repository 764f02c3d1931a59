import { formatMoney } from "@bursar/contract/fiat";
import { formatCredits } from "@bursar/contract/money";
import type { Clock } from "../clock/clock.ts";
import { notify } from "../notice/notify.ts";
import type { Payment } from "./payment.ts";
import type { PaymentFailure } from "./payments.ts";
import type { Queryable } from "./store.ts";
import type { Refund } from "./store-refunds.ts";

/* What people are told of a payment, each once, in the transaction that makes it true. */

type Notice = Parameters<typeof notify>[2];
type Told = Pick<Notice, "kind" | "title" | "text"> & Partial<Pick<Notice, "details">>;

async function tell(
  client: Queryable,
  clock: Clock,
  payment: Payment,
  told: Told & { id: string },
): Promise<void> {
  const { accountId, id: paymentId, amount, currency, credits } = payment;
  const details = { paymentId, amount, currency, credits: formatCredits(credits), ...told.details };
  await notify(client, clock, { ...told, accountId, details, mail: true });
}

const what = ({ amount, currency, credits }: Payment) =>
  `${formatCredits(credits)} credits for ${formatMoney(amount, currency)}`;

export async function granted(client: Queryable, clock: Clock, payment: Payment): Promise<void> {
  const isTopUp = payment.kind === "topup";
  await tell(client, clock, payment, {
    id: `paid:${payment.id}`,
    kind: isTopUp ? "topup_success" : "purchase_success",
    title: isTopUp ? "Credits were topped up" : "Thank you for your purchase",
    text: `${what(payment)} have been added to your balance. They never expire.`,
    details: isTopUp ? { autoTopupAdded: formatCredits(payment.credits) } : {},
  });
}

export async function actionNeeded(client: Queryable, clock: Clock, payment: Payment): Promise<void> {
  await tell(client, clock, payment, {
    id: `action:${payment.id}`,
    kind: "topup_action_needed",
    title: "Please confirm a payment",
    text: `Your bank wants you to confirm ${what(payment)}. Please do so within 24 hours; the credits come right after.`,
    details: { path: `/pay/${payment.link}` },
  });
}

export async function declined(
  client: Queryable,
  clock: Clock,
  payment: Payment,
  failure: PaymentFailure,
): Promise<void> {
  const isTopUp = payment.kind === "topup";
  const consequence = isTopUp
    ? " Auto top-up is switched off; check your payment method and switch it on again."
    : "";
  await tell(client, clock, payment, {
    id: `failed:${payment.id}`,
    kind: isTopUp ? "topup_disabled" : "payment_failed",
    title: isTopUp ? "Auto top-up is switched off" : "A payment failed",
    text: `${what(payment)} could not be charged: ${failure.message}.${consequence}`,
    details: { code: failure.code },
  });
}

export async function canceled(
  client: Queryable,
  clock: Clock,
  payment: Payment,
  failure: PaymentFailure | null,
): Promise<void> {
  // Nobody needs to hear of a page they closed.
  if (payment.method === "checkout") return;
  await tell(client, clock, payment, {
    id: `canceled:${payment.id}`,
    kind: payment.kind === "topup" ? "topup_failed" : "payment_failed",
    title: failure === null ? "A payment was not confirmed" : "A payment could not be made",
    text: `${what(payment)} were not charged: ${failure?.message ?? "nobody confirmed the payment in time"}.`,
  });
}

export async function reversed(
  client: Queryable,
  clock: Clock,
  payment: Payment,
  failure: PaymentFailure,
): Promise<void> {
  await tell(client, clock, payment, {
    id: `reversed:${payment.id}`,
    kind: payment.kind === "topup" ? "topup_failed" : "payment_failed",
    title: "A payment failed after all",
    text: `${what(payment)} were taken back, because the payment did not go through: ${failure.message}. What was spent of them is owed.`,
    details: { code: failure.code },
  });
}

export async function refunded(
  client: Queryable,
  clock: Clock,
  payment: Payment,
  refund: Pick<Refund, "id" | "amount" | "credits">,
  isTopUpStopped: boolean,
): Promise<void> {
  const stopped = isTopUpStopped
    ? " Auto top-up is switched off, because it would have bought credits again at once."
    : "";
  await tell(client, clock, payment, {
    id: `refund:${refund.id}`,
    kind: "refund",
    title: "A payment was paid back",
    text: `${formatMoney(refund.amount, payment.currency)} go back to you, and ${formatCredits(refund.credits)} credits are taken back.${stopped}`,
    details: { refundId: refund.id, refunded: refund.amount, creditsTaken: formatCredits(refund.credits) },
  });
}

export async function disputeOpened(
  client: Queryable,
  clock: Clock,
  payment: Payment,
  dispute: { id: string; roundId: string; amount: number },
): Promise<void> {
  await tell(client, clock, payment, {
    id: `dispute:${dispute.roundId}`,
    kind: "dispute_opened",
    title: "A payment is disputed",
    text: `${formatMoney(dispute.amount, payment.currency)} are disputed with the bank. What is left of those credits, and auto top-up, wait until that is decided.`,
    details: { disputeId: dispute.id },
  });
}

export async function disputeClosed(
  client: Queryable,
  clock: Clock,
  payment: Payment,
  dispute: { id: string; roundId: string; outcome: keyof typeof CLOSED },
): Promise<void> {
  const { id, roundId, outcome } = dispute;
  await tell(client, clock, payment, {
    id: `dispute_closed:${roundId}:${outcome}`,
    kind: "dispute_closed",
    title: "A dispute is closed",
    text: CLOSED[outcome],
    details: { disputeId: id, outcome: outcome === "lost" ? "lost" : "won" },
  });
}

const CLOSED = {
  won: "The payment stands: its credits can be used again, and auto top-up goes on.",
  won_on_appeal:
    "The payment stands after all: the credits that were taken back are yours again. Auto top-up stays off until somebody switches it on.",
  lost: "The payment was charged back: its credits are taken back, what was spent of them is owed, and auto top-up is switched off.",
} as const;
