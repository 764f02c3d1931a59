import type { Stripe } from "stripe";
import { DECLINES } from "../card/declines.ts";
import { emit } from "../event/emit.ts";
import { newId } from "../ids.ts";
import { feeOf } from "../money.ts";
import { missing } from "../refusal.ts";
import { secondsOf, type World } from "../world.ts";
import { book } from "./balance.ts";
import { detailsOf, outcomeOf } from "./details.ts";

/** One attempt to take the intent's money, in the state it is in now. Nothing is told yet. */
export function createCharge(
  world: World,
  intent: Stripe.PaymentIntent,
  method: Stripe.PaymentMethod,
  status: "failed" | "pending",
  isAuthenticated: boolean,
): Stripe.Charge {
  const id = newId("ch");
  const charge = {
    id,
    object: "charge",
    amount: intent.amount,
    amount_captured: 0,
    amount_refunded: 0,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: null,
    billing_details: structuredClone(method.billing_details),
    calculated_statement_descriptor: "BURSAR SANDBOX",
    captured: false,
    created: secondsOf(world),
    currency: intent.currency,
    customer: intent.customer,
    description: intent.description,
    disputed: false,
    failure_balance_transaction: null,
    failure_code: null,
    failure_message: null,
    fraud_details: {},
    livemode: false,
    metadata: { ...intent.metadata },
    on_behalf_of: null,
    outcome: null,
    paid: false,
    payment_intent: intent.id,
    payment_method: method.id,
    payment_method_details: detailsOf(method, intent.amount, isAuthenticated),
    receipt_email: intent.receipt_email,
    receipt_number: null,
    receipt_url: null,
    refunded: false,
    review: null,
    shipping: null,
    source: null,
    source_transfer: null,
    statement_descriptor: intent.statement_descriptor,
    statement_descriptor_suffix: intent.statement_descriptor_suffix,
    status,
    transfer_data: null,
    transfer_group: null,
  } satisfies Stripe.Charge;
  world.state.charges.set(id, charge);
  return charge;
}

/** The money is there. */
export function chargeSucceeds(world: World, charge: Stripe.Charge): void {
  const { id, amount, currency, description } = charge;
  const type = charge.payment_method_details?.type === "card" ? "charge" : "payment";
  const booked = book(world, { type, amount, fee: feeOf(amount), currency, source: id, description });
  Object.assign(charge, {
    status: "succeeded",
    paid: true,
    captured: true,
    amount_captured: amount,
    balance_transaction: booked.id,
    outcome: outcomeOf(null),
    receipt_url: `${world.url}/sandbox/receipts/${id}`,
  } satisfies Partial<Stripe.Charge>);
  emit(world, "charge.succeeded", charge);
}

export function chargeFails(world: World, charge: Stripe.Charge, decline: string): void {
  const { code, message } = DECLINES[decline]!;
  Object.assign(charge, {
    status: "failed",
    failure_code: code,
    failure_message: message,
    outcome: outcomeOf(decline),
  } satisfies Partial<Stripe.Charge>);
  emit(world, "charge.failed", charge);
}

/** Throws a refusal: there is no such charge. */
export function chargeOf({ state }: World, id: string, param = "charge"): Stripe.Charge {
  const charge = state.charges.get(id);
  if (charge === undefined) throw missing("charge", id, param);
  return charge;
}
