import type { Stripe } from "stripe";
import { decideCharge } from "../card/verdict.ts";
import { chargeFails, chargeSucceeds, createCharge } from "../charge/charge.ts";
import { emit } from "../event/emit.ts";
import { attach } from "../method/attach.ts";
import { behaviourOf, isExpired } from "../method/create.ts";
import { follow, type World } from "../world.ts";
import { declineError } from "./declined.ts";

export interface Circumstances {
  readonly isOffSession: boolean;
  readonly isAuthenticated?: boolean;
  /** A proof is asked for although the card needs none. */
  readonly wantsAuthentication?: boolean;
  readonly returnUrl?: string | null;
}

export type AttemptOutcome =
  | { readonly kind: "declined"; readonly decline: string; readonly charge: string }
  | { readonly kind: "processing" }
  | { readonly kind: "requires_action" }
  | { readonly kind: "succeeded" };

/** Outcomes that come later do so after this long by the moving clock. */
const OUTCOME_MILLISECONDS = 3 * 60_000;

/** Tries to charge, and moves the intent to where that leads. */
export function attempt(
  world: World,
  intent: Stripe.PaymentIntent,
  method: Stripe.PaymentMethod,
  circumstances: Circumstances,
): AttemptOutcome {
  const { isOffSession, isAuthenticated = false, wantsAuthentication = false, returnUrl } = circumstances;
  const verdict = decideCharge({
    number: behaviourOf(world, method),
    isExpired: isExpired(world, method),
    isSetUp: world.state.authenticated.has(method.id),
    forcedDecline: world.faults.takeForCharge(),
    isOffSession,
    isAuthenticated,
    wantsAuthentication,
  });
  Object.assign(intent, { payment_method: method.id, next_action: null, last_payment_error: null });
  if (verdict.kind === "authenticate") return requireAction(world, intent, returnUrl ?? null);
  const isFailure = verdict.kind === "declined";
  const charge = createCharge(world, intent, method, isFailure ? "failed" : "pending", isAuthenticated);
  intent.latest_charge = charge.id;
  switch (verdict.kind) {
    case "pays":
      succeed(world, intent, method, charge, isAuthenticated);
      return { kind: "succeeded" };
    case "declined":
      fail(world, intent, method, charge, verdict.decline);
      return { kind: "declined", decline: verdict.decline, charge: charge.id };
    case "later":
      intent.status = "processing";
      intent.processing = { type: "card" };
      world.state.outcomes.set(intent.id, {
        dueAt: world.now() + OUTCOME_MILLISECONDS,
        decline: verdict.decline,
      });
      emit(world, "charge.pending", charge);
      emit(world, "payment_intent.processing", intent);
      follow(world, intent);
      return { kind: "processing" };
  }
}

function requireAction(world: World, intent: Stripe.PaymentIntent, returnUrl: string | null): AttemptOutcome {
  intent.status = "requires_action";
  const url = `${world.url}/sandbox/authenticate/${intent.id}`;
  intent.next_action = { type: "redirect_to_url", redirect_to_url: { return_url: returnUrl, url } };
  emit(world, "payment_intent.requires_action", intent);
  return { kind: "requires_action" };
}

/** The money came: the intent has reached its end. */
export function succeed(
  world: World,
  intent: Stripe.PaymentIntent,
  method: Stripe.PaymentMethod,
  charge: Stripe.Charge,
  isAuthenticated: boolean,
): void {
  chargeSucceeds(world, charge);
  intent.status = "succeeded";
  intent.processing = null;
  intent.amount_received = intent.amount;
  keepMethod(world, intent, method, isAuthenticated);
  emit(world, "payment_intent.succeeded", intent);
  const { dispute } = behaviourOf(world, method);
  if (dispute !== null) world.state.expectedDisputes.set(charge.id, dispute);
  follow(world, intent);
}

/** What is wanted for later is attached to the customer; what has no customer is used up. */
function keepMethod(
  world: World,
  intent: Stripe.PaymentIntent,
  method: Stripe.PaymentMethod,
  isAuthenticated: boolean,
): void {
  const owner = typeof intent.customer === "string" ? world.state.customers.get(intent.customer) : undefined;
  if (method.customer === null && owner !== undefined && intent.setup_future_usage !== null)
    attach(world, method, owner.id);
  if (method.customer === null) world.state.spent.set(method.id, true);
  else if (isAuthenticated && intent.setup_future_usage === "off_session")
    world.state.authenticated.set(method.id, true);
}

/** The attempt came to nothing: the intent waits for another payment method. */
export function fail(
  world: World,
  intent: Stripe.PaymentIntent,
  method: Stripe.PaymentMethod,
  charge: Stripe.Charge,
  decline: string,
): void {
  chargeFails(world, charge, decline);
  Object.assign(intent, {
    status: "requires_payment_method",
    payment_method: null,
    processing: null,
    last_payment_error: declineError(decline, method, charge.id),
  } satisfies Partial<Stripe.PaymentIntent>);
  emit(world, "payment_intent.payment_failed", intent);
  follow(world, intent);
}
