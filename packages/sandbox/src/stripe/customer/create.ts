import type { Stripe } from "stripe";
import { emit } from "../event/emit.ts";
import { newId, randomLetters } from "../ids.ts";
import { secondsOf, type World } from "../world.ts";

/** A customer that nobody knows of yet. */
export function newCustomer(world: World): Stripe.Customer {
  return {
    id: newId("cus", 14),
    object: "customer",
    address: null,
    balance: 0,
    created: secondsOf(world),
    currency: null,
    customer_account: null,
    default_source: null,
    delinquent: false,
    description: null,
    discount: null,
    email: null,
    invoice_prefix: randomLetters(8).toUpperCase(),
    invoice_settings: {
      custom_fields: null,
      default_payment_method: null,
      footer: null,
      rendering_options: null,
    },
    livemode: false,
    metadata: {},
    name: null,
    next_invoice_sequence: 1,
    phone: null,
    preferred_locales: [],
    shipping: null,
    tax_exempt: "none",
    test_clock: null,
  } satisfies Stripe.Customer;
}

/** The customer that a checkout makes of somebody who has none. */
export function newGuest(world: World, email: string | null): Stripe.Customer {
  const customer = { ...newCustomer(world), email };
  world.state.customers.set(customer.id, customer);
  emit(world, "customer.created", customer);
  return customer;
}
