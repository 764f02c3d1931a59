import type { Stripe } from "stripe";
import { emit } from "../event/emit.ts";
import { idOf } from "../ids.ts";
import type { World } from "../world.ts";
import { subscribe } from "./subscribe.ts";

/** A checkout is complete when its intent is done or under way; what was under way is paid, or fails, later. */
export function followSession(world: World, intent: Stripe.PaymentIntent | Stripe.SetupIntent): void {
  const session = [...world.state.sessions.values()].find((candidate) => {
    return (
      (intent.object === "payment_intent" ? candidate.payment_intent : candidate.setup_intent) === intent.id
    );
  });
  if (session === undefined) return;
  if (session.status === "open") {
    if (intent.status === "succeeded" || intent.status === "processing") complete(world, session, intent);
    return;
  }
  if (session.payment_status !== "unpaid") return;
  if (intent.status === "succeeded") {
    session.payment_status = "paid";
    emit(world, "checkout.session.async_payment_succeeded", session);
  } else if (intent.status === "requires_payment_method") {
    emit(world, "checkout.session.async_payment_failed", session);
  }
}

function complete(
  world: World,
  session: Stripe.Checkout.Session,
  intent: Stripe.PaymentIntent | Stripe.SetupIntent,
): void {
  session.status = "complete";
  session.url = null;
  const isPayment = intent.object === "payment_intent";
  if (isPayment && intent.status === "succeeded") session.payment_status = "paid";
  if (session.mode === "subscription") {
    if (!isPayment) session.payment_status = "no_payment_required";
    subscribe(world, session, isPayment ? intent : null, idOf(intent.payment_method!));
  }
  emit(world, "checkout.session.completed", session);
}
