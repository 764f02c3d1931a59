import type { Stripe } from "stripe";
import { z } from "zod";
import { findNumber, type TestNumber } from "../card/cards.ts";
import { changedFrom, customerOf } from "../customer/customer.ts";
import { emit } from "../event/emit.ts";
import { withMetadata } from "../metadata.ts";
import { invalid, missing, Refusal } from "../refusal.ts";
import { listOf } from "../wire/list.ts";
import { nothing, route } from "../wire/route.ts";
import { address, listing, metadata, oneOf, positive, removable, text } from "../wire/shapes.ts";
import type { World } from "../world.ts";
import { attach, attachable, detach } from "./attach.ts";
import { createMethod, type Expiry, methodOf } from "./create.ts";

const billing = z.strictObject({
  address: address.optional(),
  email: removable.optional(),
  name: removable.optional(),
  phone: removable.optional(),
});

const month = positive.refine((value) => value <= 12, { error: "Your card's expiration month is invalid." });
const type = oneOf("card", "us_bank_account");
const displaying = oneOf("always", "limited", "unspecified");

const creating = z.strictObject({
  type,
  card: z
    .strictObject({
      token: text.optional(),
      number: text.optional(),
      exp_month: month.optional(),
      exp_year: positive.optional(),
      cvc: text.optional(),
    })
    .optional(),
  us_bank_account: z
    .strictObject({
      account_number: text,
      routing_number: text,
      account_holder_type: oneOf("individual", "company").optional(),
      account_type: oneOf("checking", "savings").optional(),
    })
    .optional(),
  billing_details: billing.optional(),
  metadata: metadata.optional(),
  allow_redisplay: displaying.optional(),
});

const updating = z.strictObject({
  card: z.strictObject({ exp_month: month.optional(), exp_year: positive.optional() }).optional(),
  billing_details: billing.optional(),
  metadata: metadata.optional(),
  allow_redisplay: displaying.optional(),
});

function numberIn(params: z.output<typeof creating>): TestNumber {
  if (params.type === "us_bank_account") {
    const account = params.us_bank_account?.account_number;
    if (account === undefined) throw absent("us_bank_account");
    return findNumber(account) ?? unknownNumber("us_bank_account[account_number]");
  }
  const { token, number } = params.card ?? {};
  const name = token ?? number;
  if (name === undefined) throw absent("card");
  if (token !== undefined && findNumber(token) === null) throw missing("token", token, "card[token]");
  return findNumber(name) ?? unknownNumber("card[number]");
}

function absent(param: string) {
  return invalid(`Missing required param: ${param}.`, param, "parameter_missing");
}

function unknownNumber(param: string): never {
  const message = "Your card number is incorrect. This sandbox knows Stripe's test numbers only.";
  throw new Refusal(402, { type: "card_error", code: "incorrect_number", message, param });
}

function expiryIn(
  card: { exp_month?: number | undefined; exp_year?: number | undefined } | undefined,
): Expiry | undefined {
  if (card?.exp_month === undefined || card.exp_year === undefined) return undefined;
  return { month: card.exp_month, year: card.exp_year < 100 ? 2000 + card.exp_year : card.exp_year };
}

function change(method: Stripe.PaymentMethod, params: Omit<z.output<typeof updating>, "card">): void {
  const { billing_details: details, metadata, allow_redisplay: displayed } = params;
  const known = Object.entries(details ?? {}).filter(([, value]) => value !== undefined);
  Object.assign(method.billing_details, Object.fromEntries(known));
  method.metadata = withMetadata(method.metadata, metadata);
  method.allow_redisplay = displayed ?? method.allow_redisplay ?? "unspecified";
}

function update(world: World, id: string, params: z.output<typeof updating>): Stripe.PaymentMethod {
  const method = methodOf(world, id, "id");
  const before = structuredClone(method);
  if (params.card !== undefined && method.card === undefined) {
    throw invalid("You cannot update card details of a payment method that is no card.", "card");
  }
  if (method.card !== undefined) {
    method.card.exp_month = params.card?.exp_month ?? method.card.exp_month;
    method.card.exp_year = params.card?.exp_year ?? method.card.exp_year;
  }
  change(method, params);
  emit(world, "payment_method.updated", method, changedFrom(before, method));
  return method;
}

/** Lists show what is attached to a customer, and nothing else. */
const filters = { ...listing, type: type.optional(), allow_redisplay: displaying.optional() };

function methodsOf(world: World, customer: string, type: string | undefined): Stripe.PaymentMethod[] {
  customerOf(world, customer);
  return [...world.state.paymentMethods.values()].filter((method) => {
    return method.customer === customer && (type === undefined || method.type === type);
  });
}

export const methodRoutes = [
  route("POST", "/v1/payment_methods", creating, (world, { params }) => {
    const method = createMethod(world, numberIn(params), expiryIn(params.card));
    change(method, params);
    return method;
  }),
  route("GET", "/v1/payment_methods/:id", nothing, (world, { id }) => methodOf(world, id, "id")),
  route("POST", "/v1/payment_methods/:id", updating, (world, { id, params }) => update(world, id, params)),
  route(
    "POST",
    "/v1/payment_methods/:id/attach",
    z.strictObject({ customer: text }),
    (world, { id, params: { customer } }) => {
      customerOf(world, customer);
      const method = attachable(world, id, customer, "id");
      if (method.customer === null) attach(world, method, customer);
      return method;
    },
  ),
  route("POST", "/v1/payment_methods/:id/detach", nothing, (world, { id }) => {
    const method = methodOf(world, id, "id");
    if (method.customer === null) {
      throw invalid(
        "The payment method you provided is not attached to a customer so detachment is impossible.",
        "payment_method",
      );
    }
    detach(world, method);
    return method;
  }),
  route(
    "GET",
    "/v1/payment_methods",
    z.strictObject({ ...filters, customer: text.optional() }),
    (world, { params, path }) => {
      const { customer, type } = params;
      return listOf(customer === undefined ? [] : methodsOf(world, customer, type), params, path);
    },
  ),
  route(
    "GET",
    "/v1/customers/:id/payment_methods",
    z.strictObject(filters),
    (world, { id, params, path }) => {
      return listOf(methodsOf(world, id, params.type), params, path);
    },
  ),
  route("GET", "/v1/customers/:id/payment_methods/:method", nothing, (world, { id, otherId }) => {
    const method = world.state.paymentMethods.get(otherId);
    if (method?.customer !== id) throw missing("PaymentMethod", otherId, "id");
    return method;
  }),
];
