import type { Stripe } from "stripe";
import { z } from "zod";
import { customerOf } from "../customer/customer.ts";
import { emit } from "../event/emit.ts";
import { usableMethod } from "../intent/confirm.ts";
import { mandate } from "../intent/params.ts";
import { withMetadata } from "../metadata.ts";
import { listOf, matching } from "../wire/list.ts";
import { nothing, route } from "../wire/route.ts";
import { flag, listing, metadata, oneOf, range, removable, text } from "../wire/shapes.ts";
import { follow, type World } from "../world.ts";
import { checkOpen, confirmSetup } from "./confirm.ts";
import { createSetup, setupOf } from "./setup.ts";

const creating = z.strictObject({
  customer: text.optional(),
  payment_method: text.optional(),
  payment_method_types: z.array(oneOf("card", "us_bank_account")).min(1).optional(),
  automatic_payment_methods: z
    .strictObject({ enabled: flag, allow_redirects: oneOf("always", "never").optional() })
    .optional(),
  usage: oneOf("off_session", "on_session").optional(),
  confirm: flag.optional(),
  return_url: z.url({ error: "Not a valid URL" }).optional(),
  mandate_data: mandate.optional(),
  description: removable.optional(),
  metadata: metadata.optional(),
});

const confirming = z.strictObject({
  payment_method: text.optional(),
  return_url: z.url({ error: "Not a valid URL" }).optional(),
  mandate_data: mandate.optional(),
});

const updating = z.strictObject({
  customer: text.optional(),
  payment_method: text.optional(),
  description: removable.optional(),
  metadata: metadata.optional(),
});

function create(world: World, params: z.output<typeof creating>): Stripe.SetupIntent {
  const customer = params.customer === undefined ? null : customerOf(world, params.customer).id;
  const method =
    params.payment_method === undefined ? null : usableMethod(world, params.payment_method, customer);
  const setup = createSetup(world, {
    customer,
    description: params.description ?? null,
    metadata: withMetadata({}, params.metadata),
    usage: params.usage ?? "off_session",
    types: params.payment_method_types ?? null,
  });
  if (method !== null) Object.assign(setup, { payment_method: method.id, status: "requires_confirmation" });
  emit(world, "setup_intent.created", setup);
  return params.confirm === true ? confirmSetup(world, setup, undefined, params.return_url ?? null) : setup;
}

function update(world: World, id: string, params: z.output<typeof updating>): Stripe.SetupIntent {
  const setup = setupOf(world, id, "id");
  checkOpen(setup, "update");
  if (params.customer !== undefined) setup.customer = customerOf(world, params.customer).id;
  const owner = typeof setup.customer === "string" ? setup.customer : null;
  if (params.payment_method !== undefined) {
    const method = usableMethod(world, params.payment_method, owner);
    Object.assign(setup, { payment_method: method.id, status: "requires_confirmation" });
  }
  if (params.description !== undefined) setup.description = params.description;
  setup.metadata = withMetadata(setup.metadata, params.metadata);
  return setup;
}

export const setupRoutes = [
  route("POST", "/v1/setup_intents", creating, (world, { params }) => create(world, params)),
  route("GET", "/v1/setup_intents/:id", nothing, (world, { id }) => setupOf(world, id, "id")),
  route("POST", "/v1/setup_intents/:id", updating, (world, { id, params }) => update(world, id, params)),
  route("POST", "/v1/setup_intents/:id/confirm", confirming, (world, { id, params }) => {
    return confirmSetup(world, setupOf(world, id, "id"), params.payment_method, params.return_url ?? null);
  }),
  route(
    "POST",
    "/v1/setup_intents/:id/cancel",
    z.strictObject({
      cancellation_reason: oneOf("abandoned", "duplicate", "requested_by_customer").optional(),
    }),
    (world, { id, params }) => {
      const setup = setupOf(world, id, "id");
      checkOpen(setup, "cancel");
      const reason = params.cancellation_reason ?? null;
      Object.assign(setup, { status: "canceled", cancellation_reason: reason, next_action: null });
      emit(world, "setup_intent.canceled", setup);
      follow(world, setup);
      return setup;
    },
  ),
  route(
    "GET",
    "/v1/setup_intents",
    z.strictObject({ ...listing, created: range.optional(), customer: text.optional() }),
    ({ state }, { params, path }) =>
      listOf(matching(state.setupIntents.values(), params, ["customer"]), params, path),
  ),
];
