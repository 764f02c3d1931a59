import type { Stripe } from "stripe";
import { DECLINES } from "../card/declines.ts";

/** What was charged, as a charge tells it. */
export function detailsOf(
  method: Stripe.PaymentMethod,
  amount: number,
  isAuthenticated: boolean,
): Stripe.Charge.PaymentMethodDetails {
  if (method.card === undefined) return { type: method.type, us_bank_account: accountOf(method) };
  const { brand, checks, country, exp_month, exp_year, fingerprint, funding, last4 } = method.card;
  return {
    type: "card",
    card: {
      amount_authorized: amount,
      authorization_code: null,
      brand,
      checks: structuredClone(checks),
      country,
      electronic_commerce_indicator: isAuthenticated ? "05" : null,
      exp_month,
      exp_year,
      extended_authorization: { status: "disabled" },
      fingerprint: fingerprint ?? null,
      funding,
      incremental_authorization: { status: "unavailable" },
      installments: null,
      last4,
      mandate: null,
      multicapture: { status: "unavailable" },
      network: brand,
      network_token: { used: false },
      network_transaction_id: null,
      overcapture: { maximum_amount_capturable: amount, status: "unavailable" },
      regulated_status: "unregulated",
      three_d_secure: isAuthenticated ? THREE_D_SECURE : null,
      transaction_link_id: null,
      wallet: null,
    },
  };
}

const THREE_D_SECURE = {
  authentication_flow: "challenge",
  electronic_commerce_indicator: "05",
  exemption_indicator: null,
  result: "authenticated",
  result_reason: null,
  transaction_id: null,
  version: "2.2.0",
} satisfies Stripe.Charge.PaymentMethodDetails.Card.ThreeDSecure;

function accountOf({ us_bank_account: account }: Stripe.PaymentMethod) {
  return {
    account_holder_type: account?.account_holder_type ?? null,
    account_type: account?.account_type ?? null,
    bank_name: account?.bank_name ?? null,
    fingerprint: account?.fingerprint ?? null,
    last4: account?.last4 ?? null,
    payment_reference: null,
    routing_number: account?.routing_number ?? null,
  } satisfies Stripe.Charge.PaymentMethodDetails.UsBankAccount;
}

/** What the network said; null: yes. */
export function outcomeOf(decline: string | null): Stripe.Charge.Outcome {
  if (decline === null) {
    return {
      advice_code: null,
      network_advice_code: null,
      network_decline_code: null,
      network_status: "approved_by_network",
      reason: null,
      risk_level: "normal",
      risk_score: 20,
      seller_message: "Payment complete.",
      type: "authorized",
    };
  }
  const { declineCode, advice } = DECLINES[decline]!;
  const isBlocked = decline === "fraudulent";
  return {
    advice_code: advice,
    network_advice_code: advice === "do_not_try_again" ? "03" : "02",
    network_decline_code: decline === "insufficient_funds" ? "51" : "05",
    network_status: isBlocked ? "not_sent_to_network" : "declined_by_network",
    reason: isBlocked ? "highest_risk_level" : declineCode,
    risk_level: isBlocked ? "highest" : "normal",
    risk_score: isBlocked ? 99 : 20,
    seller_message: isBlocked
      ? "Stripe blocked this payment as too risky."
      : "The bank did not complete the payment.",
    type: isBlocked ? "blocked" : "issuer_declined",
  };
}
