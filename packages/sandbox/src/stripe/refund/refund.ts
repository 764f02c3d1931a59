import type { Stripe } from "stripe";
import { book } from "../charge/balance.ts";
import { chargeOf } from "../charge/charge.ts";
import { emit } from "../event/emit.ts";
import { idOf, newId } from "../ids.ts";
import { behaviourOf, methodOf } from "../method/create.ts";
import { formatAmount } from "../money.ts";
import { invalid, missing } from "../refusal.ts";
import { secondsOf, type World } from "../world.ts";

export interface NewRefund {
  readonly charge: Stripe.Charge;
  /** Left out: all that is left. */
  readonly amount?: number | undefined;
  readonly reason?: "duplicate" | "fraudulent" | "requested_by_customer" | undefined;
  readonly metadata?: Record<string, string>;
}

/** Outcomes that come later do so after this long by the moving clock. */
const OUTCOME_MILLISECONDS = 3 * 60_000;

/** Gives money back, all or a part, as often as there is some left.
 *  Throws a refusal: nothing was paid, nothing is left, more than is left, or charged back. */
export function refundCharge(world: World, { charge, amount, reason, metadata }: NewRefund): Stripe.Refund {
  const wanted = refundable(charge, amount);
  const method = methodOf(world, charge.payment_method!);
  const number = behaviourOf(world, method);
  const isPending = number.refund === "later" || number.type === "us_bank_account";
  const refund = newRefund(world, charge, wanted, isPending);
  refund.reason = reason ?? null;
  refund.metadata = metadata ?? {};
  if (isPending || number.refund === "fails") {
    const dueAt = world.now() + OUTCOME_MILLISECONDS;
    world.state.refundOutcomes.set(refund.id, { dueAt, succeeds: number.refund !== "fails" });
  }
  emit(world, "refund.created", refund);
  changeRefunded(world, charge, wanted);
  return refund;
}

function refundable(charge: Stripe.Charge, amount: number | undefined): number {
  const { id, currency } = charge;
  if (charge.status !== "succeeded") {
    throw invalid(`This charge (${id}) has not succeeded and cannot be refunded.`, "charge");
  }
  if (charge.disputed) {
    throw invalid(`Charge ${id} has been charged back; cannot issue a refund.`, "charge", "charge_disputed");
  }
  const left = charge.amount - charge.amount_refunded;
  if (left === 0) {
    throw invalid(`Charge ${id} has already been refunded.`, "charge", "charge_already_refunded");
  }
  const wanted = amount ?? left;
  if (wanted < 1) throw invalid("Invalid positive integer", "amount", "parameter_invalid_integer");
  if (wanted <= left) return wanted;
  const [asked, there] = [formatAmount(wanted, currency), formatAmount(left, currency)];
  throw invalid(`Refund amount (${asked}) is greater than unrefunded amount on charge (${there})`, "amount");
}

function newRefund(world: World, charge: Stripe.Charge, amount: number, isPending: boolean): Stripe.Refund {
  const id = newId("re");
  const { currency } = charge;
  const booking = { type: "refund", amount: -amount, fee: 0, currency, source: id } as const;
  const isCard = charge.payment_method_details?.type === "card";
  const refund = {
    id,
    object: "refund",
    amount,
    balance_transaction: book(world, { ...booking, description: `REFUND FOR CHARGE (${charge.id})` }).id,
    charge: charge.id,
    created: secondsOf(world),
    currency,
    customer: charge.customer,
    customer_account: null,
    destination_details: isCard
      ? { type: "card", card: { reference_status: "pending", type: "refund" } }
      : { type: "us_bank_transfer" },
    metadata: {},
    payment_intent: charge.payment_intent,
    payment_method: charge.payment_method,
    reason: null,
    receipt_number: null,
    source_transfer_reversal: null,
    status: isPending ? "pending" : "succeeded",
    transfer_reversal: null,
  } satisfies Stripe.Refund;
  world.state.refunds.set(id, refund);
  return refund;
}

/** The charge's total changes with every refund, and back with every one that fails. */
function changeRefunded(world: World, charge: Stripe.Charge, by: number): void {
  const { amount_refunded, refunded } = charge;
  charge.amount_refunded += by;
  charge.refunded = charge.amount_refunded === charge.amount;
  const previous = { amount_refunded, ...(refunded !== charge.refunded && { refunded }) };
  emit(world, by > 0 ? "charge.refunded" : "charge.updated", charge, previous);
}

/** Tells the outcome of every refund whose time has come. Returns how many there were. */
export function settleRefunds(world: World): number {
  const due = [...world.state.refundOutcomes].filter(([, { dueAt }]) => dueAt <= world.now());
  for (const [id, { succeeds }] of due) {
    world.state.refundOutcomes.delete(id);
    const refund = refundOf(world, id);
    const previous = { status: refund.status };
    refund.status = succeeds ? "succeeded" : "failed";
    if (!succeeds) takeBack(world, refund);
    emit(world, succeeds ? "refund.updated" : "refund.failed", refund, previous);
    emit(world, "charge.refund.updated", refund, previous);
  }
  return due.length;
}

/** A refund that failed comes back to the account. */
function takeBack(world: World, refund: Stripe.Refund): void {
  const { id, amount, currency } = refund;
  const booking = { type: "refund_failure", amount, fee: 0, currency, source: id } as const;
  refund.failure_reason = "unknown";
  refund.failure_balance_transaction = book(world, { ...booking, description: "REFUND FAILURE" }).id;
  changeRefunded(world, chargeOf(world, idOf(refund.charge!)), -amount);
}

/** Throws a refusal: there is no such refund. */
export function refundOf({ state }: World, id: string): Stripe.Refund {
  const refund = state.refunds.get(id);
  if (refund === undefined) throw missing("refund", id, "id");
  return refund;
}
