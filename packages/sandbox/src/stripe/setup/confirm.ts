import type { Stripe } from "stripe";
import { emit } from "../event/emit.ts";
import { idOf } from "../ids.ts";
import { usableMethod } from "../intent/confirm.ts";
import { declinedCard, declineError } from "../intent/declined.ts";
import { attach } from "../method/attach.ts";
import { behaviourOf, isExpired, methodOf } from "../method/create.ts";
import { invalid, Refusal } from "../refusal.ts";
import { follow, type World } from "../world.ts";
import { setupOf } from "./setup.ts";

const OPEN: ReadonlySet<string> = new Set([
  "requires_action",
  "requires_confirmation",
  "requires_payment_method",
]);

/** Throws a refusal when it is over. */
export function checkOpen(setup: Stripe.SetupIntent, verb: string): void {
  if (OPEN.has(setup.status)) return;
  throw new Refusal(400, {
    type: "invalid_request_error",
    code: "setup_intent_unexpected_state",
    message: `You cannot ${verb} this SetupIntent because it has a status of ${setup.status}.`,
    setup_intent: structuredClone(setup),
  });
}

/** Confirms with a payment method. Throws a refusal: over, nothing to confirm with, declined. */
export function confirmSetup(
  world: World,
  setup: Stripe.SetupIntent,
  methodId: string | undefined,
  returnUrl: string | null,
): Stripe.SetupIntent {
  checkOpen(setup, "confirm");
  const id = methodId ?? (setup.payment_method === null ? undefined : idOf(setup.payment_method));
  if (id === undefined) {
    throw invalid(
      "You cannot confirm this SetupIntent because it's missing a payment method. Update the SetupIntent with a payment method and then confirm it again.",
      "payment_method",
    );
  }
  const method = usableMethod(world, id, setup.customer === null ? null : idOf(setup.customer));
  Object.assign(setup, { payment_method: method.id, next_action: null, last_setup_error: null });
  const { attaches, decline, authentication } = behaviourOf(world, method);
  const refused = isExpired(world, method) ? "expired_card" : attaches ? null : decline;
  if (refused !== null) {
    failSetup(world, setup, method, refused);
    throw declinedCard(refused, {
      setup_intent: structuredClone(setup),
      payment_method: structuredClone(method),
    });
  }
  if (authentication === "never") succeedSetup(world, setup, method);
  else {
    setup.status = "requires_action";
    const url = `${world.url}/sandbox/authenticate/${setup.id}`;
    setup.next_action = { type: "redirect_to_url", redirect_to_url: { return_url: returnUrl, url } };
    emit(world, "setup_intent.requires_action", setup);
  }
  return setup;
}

function succeedSetup(world: World, setup: Stripe.SetupIntent, method: Stripe.PaymentMethod): void {
  if (setup.customer !== null && method.customer === null) attach(world, method, idOf(setup.customer));
  // Without a customer it can be used no more, as after a payment.
  if (setup.customer === null) world.state.spent.set(method.id, true);
  world.state.authenticated.set(method.id, true);
  Object.assign(setup, { status: "succeeded", next_action: null } satisfies Partial<Stripe.SetupIntent>);
  emit(world, "setup_intent.succeeded", setup);
  follow(world, setup);
}

function failSetup(
  world: World,
  setup: Stripe.SetupIntent,
  method: Stripe.PaymentMethod,
  decline: string,
): void {
  Object.assign(setup, {
    status: "requires_payment_method",
    payment_method: null,
    next_action: null,
    last_setup_error: declineError(decline, method, null),
  } satisfies Partial<Stripe.SetupIntent>);
  emit(world, "setup_intent.setup_failed", setup);
  follow(world, setup);
}

/** What the holder says on the page of their bank. Throws a refusal: nobody has asked. */
export function authenticateSetup(world: World, id: string, isApproved: boolean): Stripe.SetupIntent {
  const setup = setupOf(world, id);
  if (setup.status !== "requires_action") {
    throw invalid(`Nothing to authenticate: SetupIntent ${id} has the status ${setup.status}.`);
  }
  const method = methodOf(world, idOf(setup.payment_method!));
  if (isApproved) succeedSetup(world, setup, method);
  else failSetup(world, setup, method, "authentication_failed");
  return setup;
}
