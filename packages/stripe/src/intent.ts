import type {
  DisputeRecord,
  IntentRecord,
  PaymentFailure,
  RefundRecord,
} from "@bursar/engine/payment/payments";
import type { Stripe } from "stripe";
import { asked } from "./unavailable.ts";

/** With it, a payment's charge comes along. */
export const EXPANDED = ["latest_charge"];

/** What a PaymentIntent says, in the engine's words. The answer to a charge knows of no refunds or disputes yet. */
export async function recordOfIntent(
  stripe: Stripe,
  intent: Stripe.PaymentIntent,
  from: "answer" | "record",
): Promise<IntentRecord> {
  const charge = typeof intent.latest_charge === "object" ? intent.latest_charge : null;
  const isPaid = charge !== null && from === "record";
  return {
    intentId: intent.id,
    status: statusOf(intent),
    failure: failureOf(intent.last_payment_error),
    // Also where nothing counts as refunded: a refund may have failed since.
    refunds: isPaid ? await refundsOf(stripe, intent.id) : [],
    disputes: isPaid && charge.disputed ? await disputesOf(stripe, intent.id) : [],
  };
}

function statusOf(intent: Stripe.PaymentIntent): IntentRecord["status"] {
  switch (intent.status) {
    case "succeeded":
      return "succeeded";
    case "processing":
      return "processing";
    case "canceled":
      return "canceled";
    case "requires_action":
    case "requires_confirmation":
      return "requires_action";
    default:
      // Off session, the bank's wish to see its customer comes as a declined attempt that can be confirmed later.
      return intent.last_payment_error?.code === "authentication_required" ? "requires_action" : "declined";
  }
}

/** The bank's own reason where it gave one: it tells people more than "declined". */
export function failureOf(
  error: { code?: string; decline_code?: string; message?: string } | null | undefined,
): PaymentFailure | null {
  if (error === null || error === undefined) return null;
  const code = error.decline_code ?? error.code ?? "declined";
  return { code, message: (error.message ?? "The payment was declined").replace(/\.$/, "") };
}

async function refundsOf(stripe: Stripe, intentId: string): Promise<RefundRecord[]> {
  const pages = stripe.refunds.list({ payment_intent: intentId, limit: 100 });
  const refunds = await asked(pages.autoPagingToArray({ limit: 1000 }));
  return refunds.toReversed().map(({ id, amount, status, metadata }) => ({
    ...{ id, amount, hasFailed: status === "failed" || status === "canceled" },
    requestId: metadata?.["bursar_refund"] ?? null,
    by: metadata?.["bursar_by"] ?? null,
    reason: metadata?.["bursar_reason"] ?? null,
  }));
}

async function disputesOf(stripe: Stripe, intentId: string): Promise<DisputeRecord[]> {
  const disputes = await asked(stripe.disputes.list({ payment_intent: intentId, limit: 100 }));
  return disputes.data.toReversed().map(({ id, amount, status }) => ({ id, amount, state: stateOf(status) }));
}

/** An inquiry that the bank closes without a chargeback is won. An appeal makes it open again. */
function stateOf(status: Stripe.Dispute["status"]): DisputeRecord["state"] {
  if (status === "lost") return "lost";
  return status === "won" || status === "warning_closed" || status === "prevented" ? "won" : "open";
}
