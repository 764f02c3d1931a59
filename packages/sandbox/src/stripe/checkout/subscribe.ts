import type { Stripe } from "stripe";
import { linkPayment, markPaid } from "../billing/invoice.ts";
import { periodAt } from "../billing/period.ts";
import { firstInvoice } from "../billing/start.ts";
import { changeStatus, createSubscription, intervalOf } from "../billing/subscription.ts";
import { emit } from "../event/emit.ts";
import { idOf } from "../ids.ts";
import { withMetadata } from "../metadata.ts";
import { attachable } from "../method/attach.ts";
import { secondsOf, type World } from "../world.ts";

const DAY_SECONDS = 86_400;

/** What a checkout in subscription mode asks for now: nothing while a trial runs. */
export function dueNow(world: World, session: Stripe.Checkout.Session): number {
  const { subscription } = world.state.sessionPlans.get(session.id)!;
  return subscription.trial_period_days === undefined ? session.amount_total! : 0;
}

/** Begins the subscription that a checkout has paid for (`intent`), or set a card up for (null). */
export function subscribe(
  world: World,
  session: Stripe.Checkout.Session,
  intent: Stripe.PaymentIntent | null,
  methodId: string,
): void {
  const { items, subscription: plan } = world.state.sessionPlans.get(session.id)!;
  const now = secondsOf(world);
  const days = plan.trial_period_days;
  const trialEnd = days === undefined ? null : now + days * DAY_SECONDS;
  const recurring = items.filter(({ price }) => price.type === "recurring");
  const subscription = createSubscription(world, {
    customer: idOf(session.customer!),
    currency: session.currency!,
    defaultPaymentMethod: attachable(world, methodId, idOf(session.customer!)).id,
    description: plan.description ?? null,
    metadata: withMetadata({}, plan.metadata),
    items: recurring.map(({ price, quantity }) => ({ price, quantity })),
    period:
      trialEnd === null ? periodAt(now, intervalOf(recurring[0]!.price), now) : { start: now, end: trialEnd },
    trialEnd,
    saveDefault: "off",
  });
  emit(world, "customer.subscription.created", subscription);
  const invoice = firstInvoice(world, subscription);
  if (intent !== null) linkPayment(world, invoice, intent);
  markPaid(world, invoice);
  if (trialEnd === null) changeStatus(world, subscription, "active");
  session.subscription = subscription.id;
  session.invoice = invoice.id;
}
