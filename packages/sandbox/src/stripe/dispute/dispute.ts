import type { Stripe } from "stripe";
import { book } from "../charge/balance.ts";
import { emit } from "../event/emit.ts";
import { newId } from "../ids.ts";
import { invalid, missing } from "../refusal.ts";
import { secondsOf, type World } from "../world.ts";
import { NO_EVIDENCE } from "./evidence.ts";

export type DisputeReason = "fraudulent" | "inquiry" | "product_not_received";

const FEE = 1500;
const DAYS_TO_ANSWER = 9;
const DAY_SECONDS = 86_400;

/** Its holder disputes a charge: the money is withdrawn at once, except for an inquiry.
 *  Throws a refusal: nothing was paid, or it is disputed already. */
export function openDispute(world: World, charge: Stripe.Charge, reason: DisputeReason): Stripe.Dispute {
  if (charge.status !== "succeeded" || charge.disputed) {
    throw invalid(`Charge ${charge.id} has not succeeded, or is disputed already.`, "charge");
  }
  const isInquiry = reason === "inquiry";
  const dispute = newDispute(world, charge, reason);
  world.state.disputes.set(dispute.id, dispute);
  if (!isInquiry) {
    charge.disputed = true;
    dispute.balance_transactions.push(withdrawn(world, dispute));
  }
  emit(world, "charge.dispute.created", dispute);
  if (!isInquiry) emit(world, "charge.dispute.funds_withdrawn", dispute);
  return dispute;
}

function newDispute(world: World, charge: Stripe.Charge, reason: DisputeReason): Stripe.Dispute {
  const created = secondsOf(world);
  const isInquiry = reason === "inquiry";
  const network = charge.payment_method_details?.card?.network ?? "visa";
  return {
    id: newId("dp"),
    object: "dispute",
    amount: charge.amount - charge.amount_refunded,
    balance_transactions: [],
    charge: charge.id,
    created,
    currency: charge.currency,
    enhanced_eligibility_types: [],
    evidence: { ...NO_EVIDENCE, enhanced_evidence: {} },
    evidence_details: {
      due_by: created + DAYS_TO_ANSWER * DAY_SECONDS,
      enhanced_eligibility: {},
      has_evidence: false,
      past_due: false,
      submission_count: 0,
      submission_method: "manual",
    },
    intended_submission_method: null,
    is_charge_refundable: isInquiry,
    livemode: false,
    metadata: {},
    payment_intent: charge.payment_intent,
    payment_method_details: {
      type: "card",
      card: {
        brand: charge.payment_method_details?.card?.brand ?? "visa",
        case_type: isInquiry ? "inquiry" : "chargeback",
        network,
        network_reason_code: reason === "product_not_received" ? "13.1" : "10.4",
      },
    },
    reason: isInquiry ? "fraudulent" : reason,
    status: isInquiry ? "warning_needs_response" : "needs_response",
  } satisfies Stripe.Dispute;
}

function withdrawn(
  world: World,
  { id, charge, amount, currency }: Stripe.Dispute,
): Stripe.BalanceTransaction {
  const description = `Chargeback withdrawal for ${typeof charge === "string" ? charge : charge.id}`;
  return book(world, { type: "adjustment", amount: -amount, fee: FEE, currency, source: id, description });
}

/** The bank has decided. Throws a refusal: it had before. */
export function closeDispute(world: World, dispute: Stripe.Dispute, outcome: "lost" | "won"): void {
  if (isClosed(dispute)) throw invalid(`Dispute ${dispute.id} is closed: ${dispute.status}.`, "dispute");
  const previous = { status: dispute.status };
  const isInquiry = dispute.status.startsWith("warning_");
  dispute.status = isInquiry && outcome === "won" ? "warning_closed" : outcome;
  if (outcome === "won" && !isInquiry) {
    const { id, amount, currency } = dispute;
    const description = `Chargeback reversal for ${id}`;
    const booked = book(world, { type: "adjustment", amount, fee: 0, currency, source: id, description });
    dispute.balance_transactions.push(booked);
    emit(world, "charge.dispute.funds_reinstated", dispute);
  }
  emit(world, "charge.dispute.closed", dispute, previous);
}

/** What was decided is appealed against: by us, or by the holder's bank, which takes back what was won. Throws a refusal:
 *  nothing is decided. */
export function appealDispute(world: World, dispute: Stripe.Dispute): void {
  if (!isClosed(dispute)) throw invalid(`Dispute ${dispute.id} is open: ${dispute.status}.`, "dispute");
  const previous = { status: dispute.status };
  const isAgainstUs = dispute.status === "won";
  dispute.status = "appeal_needs_response";
  dispute.evidence_details.due_by = secondsOf(world) + DAYS_TO_ANSWER * DAY_SECONDS;
  if (isAgainstUs) dispute.balance_transactions.push(withdrawn(world, dispute));
  emit(world, "charge.dispute.updated", dispute, previous);
  if (isAgainstUs) emit(world, "charge.dispute.funds_withdrawn", dispute);
}

const CLOSED: ReadonlySet<string> = new Set(["lost", "warning_closed", "won"]);

export function isClosed({ status }: Stripe.Dispute): boolean {
  return CLOSED.has(status);
}

/** Throws a refusal: there is no such dispute. */
export function disputeOf({ state }: World, id: string): Stripe.Dispute {
  const dispute = state.disputes.get(id);
  if (dispute === undefined) throw missing("dispute", id, "id");
  return dispute;
}
