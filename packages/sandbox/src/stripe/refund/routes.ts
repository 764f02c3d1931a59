import type { Stripe } from "stripe";
import { z } from "zod";
import { chargeOf } from "../charge/charge.ts";
import { changedFrom } from "../customer/customer.ts";
import { emit } from "../event/emit.ts";
import { idOf } from "../ids.ts";
import { intentOf } from "../intent/intent.ts";
import { withMetadata } from "../metadata.ts";
import { invalid } from "../refusal.ts";
import { listOf, matching } from "../wire/list.ts";
import { nothing, route } from "../wire/route.ts";
import { integer, listing, metadata, oneOf, range, text } from "../wire/shapes.ts";
import type { World } from "../world.ts";
import { refundCharge, refundOf } from "./refund.ts";

const creating = z.strictObject({
  charge: text.optional(),
  payment_intent: text.optional(),
  amount: integer.optional(),
  reason: oneOf("duplicate", "fraudulent", "requested_by_customer").optional(),
  metadata: metadata.optional(),
});

function chargeIn(world: World, params: z.output<typeof creating>): Stripe.Charge {
  const { charge, payment_intent: intent } = params;
  if ((charge === undefined) === (intent === undefined)) {
    throw invalid(
      "You must provide exactly one of charge and payment_intent.",
      "charge",
      "parameter_missing",
    );
  }
  if (charge !== undefined) return chargeOf(world, charge);
  const { latest_charge: latest } = intentOf(world, intent!, "payment_intent");
  if (latest !== null) return chargeOf(world, idOf(latest));
  throw invalid("This PaymentIntent does not have a successful charge to refund.", "payment_intent");
}

export const refundRoutes = [
  route("POST", "/v1/refunds", creating, (world, { params }) => {
    const { amount, reason } = params;
    const metadata = withMetadata({}, params.metadata);
    return refundCharge(world, { charge: chargeIn(world, params), amount, reason, metadata });
  }),
  route("GET", "/v1/refunds/:id", nothing, (world, { id }) => refundOf(world, id)),
  route("POST", "/v1/refunds/:id", z.strictObject({ metadata }), (world, { id, params }) => {
    const refund = refundOf(world, id);
    const before = structuredClone(refund);
    refund.metadata = withMetadata(refund.metadata, params.metadata);
    emit(world, "refund.updated", refund, changedFrom(before, refund));
    return refund;
  }),
  route(
    "GET",
    "/v1/refunds",
    z.strictObject({
      ...listing,
      charge: text.optional(),
      payment_intent: text.optional(),
      created: range.optional(),
    }),
    ({ state }, { params, path }) =>
      listOf(matching(state.refunds.values(), params, ["charge", "payment_intent"]), params, path),
  ),
];
