import type { Stripe } from "stripe";
import { newGuest } from "../customer/create.ts";
import { emit } from "../event/emit.ts";
import { idOf } from "../ids.ts";
import { attempt } from "../intent/attempt.ts";
import { usableMethod } from "../intent/confirm.ts";
import { createIntent, intentOf } from "../intent/intent.ts";
import { withMetadata } from "../metadata.ts";
import { invalid, Refusal } from "../refusal.ts";
import { confirmSetup } from "../setup/confirm.ts";
import { createSetup, setupOf } from "../setup/setup.ts";
import type { World } from "../world.ts";
import { detailsOf, sessionOf } from "./session.ts";
import { dueNow } from "./subscribe.ts";

export type PageOutcome =
  | { readonly kind: "complete"; readonly url: string }
  | { readonly kind: "declined"; readonly message: string }
  | { readonly kind: "requires_action"; readonly url: string };

export interface Payer {
  /** A token such as `pm_card_visa`, or what the customer has saved. */
  readonly method: string;
  readonly email?: string | undefined;
}

/** What happens when somebody presses the button of the page. Throws a refusal: the checkout is not open, the method is unknown. */
export function payCheckout(world: World, id: string, { method, email }: Payer): PageOutcome {
  const session = sessionOf(world, id);
  if (session.status !== "open") throw invalid(`This checkout is ${session.status}.`);
  if (session.customer_details === null) session.customer_details = detailsOf(email ?? null, null);
  try {
    if (session.mode === "setup") {
      const setup = setupOf(world, idOf(session.setup_intent!));
      confirmSetup(world, setup, method, session.url);
      return outcomeOf(session, setup.next_action?.redirect_to_url?.url);
    }
    return payNow(world, session, method);
  } catch (error) {
    if (error instanceof Refusal && error.status === 402) return { kind: "declined", message: error.message };
    throw error;
  }
}

function payNow(world: World, session: Stripe.Checkout.Session, methodId: string): PageOutcome {
  const { payment } = world.state.sessionPlans.get(session.id)!;
  const isSubscription = session.mode === "subscription";
  const wantsCustomer =
    isSubscription || session.customer_creation === "always" || payment.setup_future_usage !== undefined;
  if (session.customer === null && wantsCustomer) {
    session.customer = newGuest(world, session.customer_details?.email ?? null).id;
  }
  const customer = session.customer === null ? null : idOf(session.customer);
  if (isSubscription && dueNow(world, session) === 0) return startTrial(world, session, methodId);
  const method = usableMethod(world, methodId, customer);
  const intent =
    session.payment_intent === null
      ? intentFor(world, session)
      : intentOf(world, idOf(session.payment_intent));
  const outcome = attempt(world, intent, method, { isOffSession: false, returnUrl: session.url });
  if (outcome.kind === "declined") {
    return { kind: "declined", message: intent.last_payment_error?.message ?? "Your card was declined." };
  }
  return outcomeOf(session, intent.next_action?.redirect_to_url?.url);
}

/** A trial begins with a card that is set up and not charged. */
function startTrial(world: World, session: Stripe.Checkout.Session, methodId: string): PageOutcome {
  const customer = session.customer === null ? null : idOf(session.customer);
  const known = session.setup_intent === null ? null : setupOf(world, idOf(session.setup_intent));
  const setup = known ?? createSetup(world, { customer, types: session.payment_method_types });
  if (known === null) emit(world, "setup_intent.created", setup);
  session.setup_intent = setup.id;
  confirmSetup(world, setup, methodId, session.url);
  return outcomeOf(session, setup.next_action?.redirect_to_url?.url);
}

function intentFor(world: World, session: Stripe.Checkout.Session): Stripe.PaymentIntent {
  const { payment } = world.state.sessionPlans.get(session.id)!;
  const intent = createIntent(world, {
    amount: session.amount_total!,
    currency: session.currency!,
    customer: session.customer === null ? null : idOf(session.customer),
    description: payment.description ?? null,
    metadata: withMetadata({}, payment.metadata),
    receiptEmail: payment.receipt_email ?? null,
    setupFutureUsage: session.mode === "subscription" ? "off_session" : (payment.setup_future_usage ?? null),
    statementDescriptor: payment.statement_descriptor ?? null,
    statementDescriptorSuffix: payment.statement_descriptor_suffix ?? null,
    types: session.payment_method_types,
  });
  session.payment_intent = intent.id;
  emit(world, "payment_intent.created", intent);
  return intent;
}

function outcomeOf(session: Stripe.Checkout.Session, actionUrl: string | null | undefined): PageOutcome {
  if (actionUrl !== undefined && actionUrl !== null) return { kind: "requires_action", url: actionUrl };
  return { kind: "complete", url: successUrl(session) };
}

/** Where the page sends people who have paid. */
export function successUrl({ success_url: url, id }: Stripe.Checkout.Session): string {
  return (url ?? "").replaceAll("{CHECKOUT_SESSION_ID}", id);
}
