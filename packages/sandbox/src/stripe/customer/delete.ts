import type { Stripe } from "stripe";
import { cancelNow } from "../billing/end.ts";
import { emit } from "../event/emit.ts";
import { detach } from "../method/attach.ts";
import type { World } from "../world.ts";
import { customerOf } from "./customer.ts";

/** Deletes a customer for good, and takes from it whatever it pays with. Throws a refusal: there is no such customer. */
export function deleteCustomer(world: World, id: string): Stripe.DeletedCustomer {
  const customer = customerOf(world, id, "id");
  const { state } = world;
  for (const method of state.paymentMethods.values()) if (method.customer === id) detach(world, method);
  for (const subscription of state.subscriptions.values()) {
    const isRunning = !["canceled", "incomplete_expired"].includes(subscription.status);
    if (subscription.customer === id && isRunning) cancelNow(world, subscription, "cancellation_requested");
  }
  state.customers.delete(id);
  const deleted = { id, object: "customer", deleted: true } as const;
  state.deletedCustomers.set(id, deleted);
  emit(world, "customer.deleted", customer);
  return deleted;
}
