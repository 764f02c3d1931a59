import type { Stripe } from "stripe";
import type { z } from "zod";
import { customerOf } from "../customer/customer.ts";
import { emit } from "../event/emit.ts";
import { withMetadata } from "../metadata.ts";
import { checkAmount, currencyOf } from "../money.ts";
import { invalid } from "../refusal.ts";
import { listOf, matching } from "../wire/list.ts";
import { nothing, route } from "../wire/route.ts";
import { follow, secondsOf, type World } from "../world.ts";
import { checkConfirmation, confirm, unexpectedState, usableMethod } from "./confirm.ts";
import { intentOf, newIntent } from "./intent.ts";
import { canceling, confirmation, creating, finding, updating } from "./params.ts";

function create(world: World, params: z.output<typeof creating>): Stripe.PaymentIntent {
  if (params.off_session === true && params.confirm !== true) {
    throw invalid("`off_session` can only be used when `confirm` is `true`.", "off_session");
  }
  const currency = currencyOf(params.currency);
  checkAmount(params.amount, currency);
  const customer = params.customer === undefined ? null : customerOf(world, params.customer).id;
  const method =
    params.payment_method === undefined ? null : usableMethod(world, params.payment_method, customer);
  const types = params.payment_method_types ?? null;
  if (types !== null && params.automatic_payment_methods?.enabled === true) {
    throw invalid(
      "You may only specify one of these parameters: automatic_payment_methods, payment_method_types.",
    );
  }
  const intent = newIntent(world, {
    amount: params.amount,
    currency,
    customer,
    description: params.description ?? null,
    metadata: withMetadata({}, params.metadata),
    receiptEmail: params.receipt_email ?? null,
    setupFutureUsage: params.setup_future_usage ?? null,
    statementDescriptor: params.statement_descriptor ?? null,
    statementDescriptorSuffix: params.statement_descriptor_suffix ?? null,
    types,
  });
  const redirects = params.automatic_payment_methods?.allow_redirects;
  if (intent.automatic_payment_methods !== null && redirects !== undefined) {
    intent.automatic_payment_methods.allow_redirects = redirects;
  }
  if (method !== null) {
    intent.payment_method = method.id;
    intent.status = "requires_confirmation";
  }
  const confirmation = { ...params, payment_method: undefined };
  // What cannot be confirmed is not made either.
  if (params.confirm === true) checkConfirmation(world, intent, confirmation);
  world.state.paymentIntents.set(intent.id, intent);
  emit(world, "payment_intent.created", intent);
  return params.confirm === true ? confirm(world, intent, confirmation) : intent;
}

function update(world: World, id: string, params: z.output<typeof updating>): Stripe.PaymentIntent {
  const intent = intentOf(world, id, "id");
  const isPayment =
    params.amount !== undefined || params.currency !== undefined || params.payment_method !== undefined;
  if (isPayment && !intent.status.startsWith("requires_")) {
    throw unexpectedState(
      `This PaymentIntent's amount, currency and payment method could not be updated because it has a status of ${intent.status}.`,
      intent,
    );
  }
  const currency = currencyOf(params.currency ?? intent.currency);
  checkAmount(params.amount ?? intent.amount, currency);
  const customer = params.customer === undefined ? intent.customer : customerOf(world, params.customer).id;
  const owner = typeof customer === "string" ? customer : null;
  const method =
    params.payment_method === undefined ? null : usableMethod(world, params.payment_method, owner);
  const { description, receipt_email: email, statement_descriptor: descriptor } = params;
  Object.assign(intent, {
    amount: params.amount ?? intent.amount,
    currency,
    customer,
    metadata: withMetadata(intent.metadata, params.metadata),
    setup_future_usage: params.setup_future_usage ?? intent.setup_future_usage,
    ...(method !== null && { payment_method: method.id, status: "requires_confirmation" }),
    ...(description !== undefined && { description }),
    ...(email !== undefined && { receipt_email: email }),
    ...(descriptor !== undefined && { statement_descriptor: descriptor }),
  });
  return intent;
}

const CANCELABLE = ["requires_payment_method", "requires_confirmation", "requires_action"];

/** Throws a refusal: it has succeeded, is under way, or was canceled before. */
export function cancelIntent(
  world: World,
  intent: Stripe.PaymentIntent,
  reason: Stripe.PaymentIntent.CancellationReason | null,
): void {
  if (!CANCELABLE.includes(intent.status)) {
    throw unexpectedState(
      `You cannot cancel this PaymentIntent because it has a status of ${intent.status}. Only a PaymentIntent with one of the following statuses may be canceled: ${CANCELABLE.join(", ")}.`,
      intent,
    );
  }
  Object.assign(intent, {
    status: "canceled",
    canceled_at: secondsOf(world),
    cancellation_reason: reason,
    next_action: null,
  } satisfies Partial<Stripe.PaymentIntent>);
  emit(world, "payment_intent.canceled", intent);
  follow(world, intent);
}

export const intentRoutes = [
  route("POST", "/v1/payment_intents", creating, (world, { params }) => create(world, params)),
  route("GET", "/v1/payment_intents/:id", nothing, (world, { id }) => intentOf(world, id, "id")),
  route("POST", "/v1/payment_intents/:id", updating, (world, { id, params }) => update(world, id, params)),
  route("POST", "/v1/payment_intents/:id/confirm", confirmation, (world, { id, params }) => {
    return confirm(world, intentOf(world, id, "id"), params);
  }),
  route("POST", "/v1/payment_intents/:id/cancel", canceling, (world, { id, params }) => {
    const intent = intentOf(world, id, "id");
    cancelIntent(world, intent, params.cancellation_reason ?? null);
    return intent;
  }),
  route("GET", "/v1/payment_intents", finding, ({ state }, { params, path }) => {
    return listOf(matching(state.paymentIntents.values(), params, ["customer"]), params, path);
  }),
];
