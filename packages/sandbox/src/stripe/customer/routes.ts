import type { Stripe } from "stripe";
import { z } from "zod";
import { emit } from "../event/emit.ts";
import { withMetadata } from "../metadata.ts";
import { attach, attachable } from "../method/attach.ts";
import { listOf, matching } from "../wire/list.ts";
import { nothing, route } from "../wire/route.ts";
import { address, listing, metadata, oneOf, range, removable, text } from "../wire/shapes.ts";
import type { World } from "../world.ts";
import { newCustomer } from "./create.ts";
import { changedFrom, checkDefault, customerOf } from "./customer.ts";
import { deleteCustomer } from "./delete.ts";

const fields = {
  address: address.optional(),
  description: removable.optional(),
  email: removable.optional(),
  invoice_settings: z.strictObject({ default_payment_method: removable.optional() }).optional(),
  metadata: metadata.optional(),
  name: removable.optional(),
  phone: removable.optional(),
  preferred_locales: z.array(text).optional(),
  tax_exempt: oneOf("exempt", "none", "reverse").optional(),
};
const updating = z.strictObject(fields);
const creating = z.strictObject({ ...fields, payment_method: text.optional() });

function createCustomer(world: World, params: z.output<typeof creating>): Stripe.Customer {
  const { payment_method: asked, ...rest } = params;
  const customer = newCustomer(world);
  const method = asked === undefined ? null : attachable(world, asked, customer.id);
  if (method !== null) method.customer = customer.id;
  // A token stands for a payment method that is made only now.
  const invoicing = rest.invoice_settings;
  const isTheOne = method !== null && invoicing?.default_payment_method === asked;
  change(world, customer, {
    ...rest,
    ...(isTheOne && { invoice_settings: { default_payment_method: method.id } }),
  });
  world.state.customers.set(customer.id, customer);
  emit(world, "customer.created", customer);
  if (method !== null) attach(world, method, customer.id);
  return customer;
}

function change(world: World, customer: Stripe.Customer, params: z.output<typeof updating>): void {
  const { address, metadata, invoice_settings: invoicing, ...plain } = params;
  const wanted = invoicing?.default_payment_method;
  if (wanted !== undefined && wanted !== null) checkDefault(world, customer, wanted);
  if (wanted !== undefined) customer.invoice_settings.default_payment_method = wanted;
  for (const [name, value] of Object.entries(plain)) {
    if (value !== undefined) Object.assign(customer, { [name]: value });
  }
  if (address !== undefined) customer.address = merged(customer.address, address);
  customer.metadata = withMetadata(customer.metadata, metadata);
}

const noAddress = { city: null, country: null, line1: null, line2: null, postal_code: null, state: null };

function merged(before: Stripe.Address | null | undefined, change: z.output<typeof address>): Stripe.Address {
  const known = Object.entries(change).filter(([, value]) => value !== undefined);
  return { ...noAddress, ...before, ...(Object.fromEntries(known) as Partial<Stripe.Address>) };
}

export const customerRoutes = [
  route("POST", "/v1/customers", creating, (world, { params }) => createCustomer(world, params)),
  route("GET", "/v1/customers/:id", nothing, (world, { id }) => {
    return world.state.deletedCustomers.get(id) ?? customerOf(world, id, "id");
  }),
  route("POST", "/v1/customers/:id", updating, (world, { id, params }) => {
    const customer = customerOf(world, id, "id");
    const before = structuredClone(customer);
    change(world, customer, params);
    emit(world, "customer.updated", customer, changedFrom(before, customer));
    return customer;
  }),
  route("DELETE", "/v1/customers/:id", nothing, (world, { id }) => deleteCustomer(world, id)),
  route(
    "GET",
    "/v1/customers",
    z.strictObject({ ...listing, created: range.optional(), email: text.optional() }),
    ({ state }, { params, path }) =>
      listOf(matching(state.customers.values(), params, ["email"]), params, path),
  ),
];
