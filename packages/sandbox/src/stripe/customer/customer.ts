import type { Stripe } from "stripe";
import { invalid, missing } from "../refusal.ts";
import type { World } from "../world.ts";

/** Throws a refusal: there is no such customer, or it was deleted. */
export function customerOf({ state }: World, id: string, param = "customer"): Stripe.Customer {
  const customer = state.customers.get(id);
  if (customer === undefined) throw missing("customer", id, param);
  return customer;
}

/** Only what is attached to a customer can be its default. */
export function checkDefault(
  { state }: World,
  customer: Stripe.Customer,
  methodId: string,
  param = "invoice_settings[default_payment_method]",
): void {
  if (state.paymentMethods.get(methodId)?.customer === customer.id) return;
  throw invalid(
    `The customer does not have a payment method with the ID ${methodId}. The payment method must be attached to the customer.`,
    param,
    "resource_missing",
  );
}

/** The fields that are different, as they were: what an event calls `previous_attributes`. */
export function changedFrom(before: object, after: object): Record<string, unknown> {
  const now = after as Record<string, unknown>;
  const changed = Object.entries(before).filter(([name, value]) => {
    return JSON.stringify(value) !== JSON.stringify(now[name]);
  });
  return Object.fromEntries(changed);
}
