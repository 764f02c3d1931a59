import type { Stripe } from "stripe";
import { emit } from "../event/emit.ts";
import { idOf } from "../ids.ts";
import { methodOf } from "../method/create.ts";
import { invalid } from "../refusal.ts";
import { follow, type World } from "../world.ts";
import { attempt } from "./attempt.ts";
import { declineError } from "./declined.ts";
import { intentOf } from "./intent.ts";

/** What the holder says on the page of their bank: the payment goes on, or waits for another payment method.
 *  Throws a refusal: nobody has asked. */
export function authenticatePayment(world: World, id: string, isApproved: boolean): Stripe.PaymentIntent {
  const intent = intentOf(world, id);
  if (intent.status !== "requires_action") {
    throw invalid(`Nothing to authenticate: PaymentIntent ${id} has the status ${intent.status}.`);
  }
  const method = methodOf(world, idOf(intent.payment_method!));
  if (isApproved) {
    attempt(world, intent, method, { isOffSession: false, isAuthenticated: true });
    return intent;
  }
  Object.assign(intent, {
    status: "requires_payment_method",
    payment_method: null,
    next_action: null,
    last_payment_error: declineError("authentication_failed", method, null),
  } satisfies Partial<Stripe.PaymentIntent>);
  emit(world, "payment_intent.payment_failed", intent);
  follow(world, intent);
  return intent;
}
