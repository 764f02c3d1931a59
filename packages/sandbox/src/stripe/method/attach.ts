import type { Stripe } from "stripe";
import { emit } from "../event/emit.ts";
import { declinedCard } from "../intent/declined.ts";
import { invalid } from "../refusal.ts";
import type { World } from "../world.ts";
import { behaviourOf, methodOf } from "./create.ts";

/** The payment method, if it can become this customer's; nothing has changed yet.
 *  Throws a refusal: unknown, somebody else's, used up, or declined by its issuer as most declining test cards are. */
export function attachable(
  world: World,
  id: string,
  customerId: string,
  param = "payment_method",
): Stripe.PaymentMethod {
  const method = methodOf(world, id, param);
  if (method.customer === customerId) return method;
  if (method.customer !== null) {
    throw invalid("The payment method you provided has already been attached to a customer.", param);
  }
  checkUnspent(world, method);
  const { attaches, decline } = behaviourOf(world, method);
  if (!attaches && decline !== null) throw declinedCard(decline, {});
  return method;
}

/** Throws a refusal for what was detached, or used without a customer. */
export function checkUnspent({ state }: World, { id }: Stripe.PaymentMethod): void {
  if (!state.spent.has(id)) return;
  throw invalid(
    `The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a connected account without Customer attachment, or was detached from a Customer. It may not be used again. To use a PaymentMethod multiple times, you must attach it to a Customer first.`,
    "payment_method",
    "payment_method_unexpected_state",
  );
}

/** Makes it the customer's. */
export function attach(world: World, method: Stripe.PaymentMethod, customerId: string): void {
  method.customer = customerId;
  emit(world, "payment_method.attached", method);
}

/** Takes it from its customer for good. It stops being a default. */
export function detach(world: World, method: Stripe.PaymentMethod): void {
  const { state } = world;
  const owner = typeof method.customer === "string" ? state.customers.get(method.customer) : undefined;
  method.customer = null;
  state.spent.set(method.id, true);
  emit(world, "payment_method.detached", method, { customer: owner?.id ?? null });
  if (owner?.invoice_settings.default_payment_method !== method.id) return;
  owner.invoice_settings.default_payment_method = null;
  emit(world, "customer.updated", owner, { invoice_settings: { default_payment_method: method.id } });
}
