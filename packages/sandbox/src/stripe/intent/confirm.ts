import type { Stripe } from "stripe";
import type { z } from "zod";
import { checkUnspent } from "../method/attach.ts";
import { methodOf } from "../method/create.ts";
import { invalid, Refusal } from "../refusal.ts";
import type { World } from "../world.ts";
import { attempt } from "./attempt.ts";
import { declinedCard } from "./declined.ts";
import type { confirmation } from "./params.ts";

type Confirmation = Partial<z.output<typeof confirmation>>;

const CONFIRMABLE: ReadonlySet<string> = new Set([
  "requires_action",
  "requires_confirmation",
  "requires_payment_method",
]);

/** Confirms: the one way to an attempt that callers of the API have.
 *  Throws a refusal: not in a state for it, without or with a wrong payment method, declined. */
export function confirm(
  world: World,
  intent: Stripe.PaymentIntent,
  params: Confirmation,
): Stripe.PaymentIntent {
  const method = checkConfirmation(world, intent, params);
  intent.setup_future_usage = params.setup_future_usage ?? intent.setup_future_usage;
  if (params.receipt_email !== undefined) intent.receipt_email = params.receipt_email;
  const asked = params.payment_method_options?.card?.request_three_d_secure ?? "automatic";
  const outcome = attempt(world, intent, method, {
    isOffSession: params.off_session === true || params.error_on_requires_action === true,
    wantsAuthentication: asked !== "automatic",
    returnUrl: params.return_url ?? null,
  });
  if (outcome.kind !== "declined") return intent;
  throw declinedCard(outcome.decline, {
    charge: outcome.charge,
    payment_intent: structuredClone(intent),
    payment_method: structuredClone(method),
  });
}

/** The payment method to confirm with; nothing has changed yet. Throws a refusal as `confirm` does, but for declines. */
export function checkConfirmation(
  world: World,
  intent: Stripe.PaymentIntent,
  params: Confirmation,
): Stripe.PaymentMethod {
  checkStatus(intent);
  checkReturn(intent, params.off_session === true, params.return_url ?? null);
  return methodFor(world, intent, params.payment_method);
}

function checkStatus(intent: Stripe.PaymentIntent): void {
  if (CONFIRMABLE.has(intent.status)) return;
  const message =
    intent.status === "succeeded"
      ? "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed."
      : `You cannot confirm this PaymentIntent because it has a status of ${intent.status}. Only a PaymentIntent with one of the following statuses may be confirmed: requires_confirmation, requires_action, requires_payment_method.`;
  throw unexpectedState(message, intent);
}

/** With every kind of payment method allowed, somebody may have to be sent away and needs a way back. */
function checkReturn(intent: Stripe.PaymentIntent, isOffSession: boolean, returnUrl: string | null): void {
  if (isOffSession || returnUrl !== null || intent.automatic_payment_methods?.allow_redirects !== "always")
    return;
  throw invalid(
    "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because some of these payment methods might redirect your customer off of your page, you must provide a `return_url`. If you don't want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to `true` and `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and Payment Intents.",
    "return_url",
  );
}

function methodFor(
  world: World,
  intent: Stripe.PaymentIntent,
  asked: string | undefined,
): Stripe.PaymentMethod {
  const id = asked ?? (typeof intent.payment_method === "string" ? intent.payment_method : undefined);
  if (id === undefined) {
    throw unexpectedState(
      "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment method or ConfirmationToken.",
      intent,
    );
  }
  const method = usableMethod(world, id, typeof intent.customer === "string" ? intent.customer : null);
  if (intent.payment_method_types.includes(method.type)) return method;
  throw invalid(
    `The PaymentMethod provided (${method.type}) is not allowed for this PaymentIntent. Please attempt with one of the following: ${intent.payment_method_types.join(", ")}.`,
    "payment_method",
  );
}

/** Throws a refusal for what is used up, and for what belongs to somebody else. */
export function usableMethod(world: World, id: string, customer: string | null): Stripe.PaymentMethod {
  const method = methodOf(world, id);
  checkUnspent(world, method);
  if (method.customer === null || method.customer === customer) return method;
  const whose =
    customer === null
      ? "belongs to a Customer. Please include the Customer in the `customer` parameter on the PaymentIntent."
      : "does not belong to the Customer you supplied. Please use this PaymentMethod with the Customer that it belongs to instead.";
  throw invalid(`The provided PaymentMethod (${method.id}) ${whose}`, "payment_method");
}

export function unexpectedState(message: string, intent: Stripe.PaymentIntent): Refusal {
  const code = "payment_intent_unexpected_state";
  const payment_intent = structuredClone(intent);
  return new Refusal(400, { type: "invalid_request_error", message, code, payment_intent });
}
