import { CURRENCIES } from "@bursar/contract/fiat";
import type { Instant } from "@bursar/contract/instant";
import { formatCredits, parseCredits } from "@bursar/contract/money";
import type { ChargeRequest, Sale } from "@bursar/engine/payment/payments";
import type { Stripe } from "stripe";

type Told = Pick<ChargeRequest, "accountId" | "paymentId" | "kind" | "credits">;

/** What a payment says of itself at Stripe: whose it is, and what it is for. */
export function metadataOf({ accountId, paymentId, kind, credits }: Told): Record<string, string> {
  return {
    bursar_account: accountId,
    bursar_payment: paymentId,
    bursar_kind: kind,
    bursar_credits: formatCredits(credits),
  };
}

const instant = (seconds: number) => (seconds * 1_000_000) as Instant;

/** What a PaymentIntent that is paid was for; null: it is not paid, or none of ours. */
export function saleOf(intent: Stripe.PaymentIntent): Sale | null {
  const { status, metadata, amount, created, latest_charge: charge } = intent;
  const paymentId = metadata["bursar_payment"];
  const currency = CURRENCIES.find((candidate) => candidate === intent.currency);
  if (status !== "succeeded" || currency === undefined || paymentId === undefined) return null;
  return {
    accountId: metadata["bursar_account"] ?? null,
    paymentId,
    kind: metadata["bursar_kind"] === "topup" ? "topup" : "purchase",
    credits: parseCredits(metadata["bursar_credits"] ?? ""),
    amount,
    currency,
    createdAt: instant(created),
    chargedAt: instant(typeof charge === "object" && charge !== null ? charge.created : created),
  };
}
