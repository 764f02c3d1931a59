import { createHash } from "node:crypto";
import type { Stripe } from "stripe";
import { findNumber, type TestNumber } from "../card/cards.ts";
import { newId } from "../ids.ts";
import { missing } from "../refusal.ts";
import { secondsOf, type World } from "../world.ts";

const YEARS_VALID = 4;

export interface Expiry {
  readonly month: number;
  readonly year: number;
}

/** A new payment method that behaves as the number does. */
export function createMethod(world: World, number: TestNumber, expiry?: Expiry): Stripe.PaymentMethod {
  const method = {
    id: newId("pm"),
    object: "payment_method",
    allow_redisplay: "unspecified",
    billing_details: { address: noAddress, email: null, name: null, phone: null, tax_id: null },
    created: secondsOf(world),
    customer: null,
    customer_account: null,
    livemode: false,
    metadata: {},
    type: number.type,
    ...(number.type === "card"
      ? { card: cardOf(number, expiry ?? usualExpiry(world)) }
      : { us_bank_account: bankAccountOf(number) }),
  } satisfies Stripe.PaymentMethod;
  world.state.paymentMethods.set(method.id, method);
  world.state.numbers.set(method.id, number.number);
  return method;
}

const noAddress = { city: null, country: null, line1: null, line2: null, postal_code: null, state: null };

function cardOf({ number, brand, country, authentication, tokens }: TestNumber, { month, year }: Expiry) {
  return {
    brand,
    checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: "pass" },
    country,
    display_brand: brand,
    exp_month: month,
    exp_year: year,
    fingerprint: fingerprintOf(number),
    funding: tokens.some((token) => token.endsWith("_debit")) ? "debit" : "credit",
    generated_from: null,
    last4: number.slice(-4),
    networks: { available: [brand], preferred: null },
    regulated_status: "unregulated",
    three_d_secure_usage: { supported: authentication !== "never" || brand === "visa" },
    wallet: null,
  } satisfies Stripe.PaymentMethod.Card;
}

function bankAccountOf({ number, brand }: TestNumber) {
  return {
    account_holder_type: "individual",
    account_type: "checking",
    bank_name: brand,
    financial_connections_account: null,
    fingerprint: fingerprintOf(number),
    last4: number.slice(-4),
    networks: { preferred: "ach", supported: ["ach"] },
    routing_number: "110000000",
    status_details: {},
  } satisfies Stripe.PaymentMethod.UsBankAccount;
}

/** The same number has the same fingerprint, whoever holds it. */
function fingerprintOf(number: string): string {
  return createHash("sha256").update(number).digest("base64url").replaceAll(/[-_]/g, "a").slice(0, 16);
}

function usualExpiry({ now }: World): Expiry {
  const today = new Date(now());
  return { month: today.getUTCMonth() + 1, year: today.getUTCFullYear() + YEARS_VALID };
}

/** The payment method with this id; a new one for a token such as `pm_card_visa`. Throws a refusal: neither. */
export function methodOf(world: World, id: string, param = "payment_method"): Stripe.PaymentMethod {
  const number = id.startsWith("pm_") ? findNumber(id) : null;
  if (number !== null) return createMethod(world, number);
  const method = world.state.paymentMethods.get(id);
  if (method === undefined) throw missing("PaymentMethod", id, param);
  return method;
}

/** How a payment method behaves when it is charged. */
export function behaviourOf({ state }: World, method: Stripe.PaymentMethod): TestNumber {
  return findNumber(state.numbers.get(method.id)!)!;
}

/** Cards are good to the end of their month. */
export function isExpired({ now }: World, { card }: Stripe.PaymentMethod): boolean {
  return card !== undefined && now() >= Date.UTC(card.exp_year, card.exp_month, 1);
}
