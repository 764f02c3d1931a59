import { z } from "zod";
import { changedFrom } from "../customer/customer.ts";
import { emit } from "../event/emit.ts";
import { withMetadata } from "../metadata.ts";
import { missing } from "../refusal.ts";
import { listOf, matching } from "../wire/list.ts";
import { nothing, route } from "../wire/route.ts";
import { listing, metadata, range, removable, text } from "../wire/shapes.ts";
import { balanceOf } from "./balance.ts";
import { chargeOf } from "./charge.ts";

export const chargeRoutes = [
  route("GET", "/v1/charges/:id", nothing, (world, { id }) => chargeOf(world, id, "id")),
  route(
    "POST",
    "/v1/charges/:id",
    z.strictObject({
      description: removable.optional(),
      metadata: metadata.optional(),
      receipt_email: removable.optional(),
    }),
    (world, { id, params }) => {
      const charge = chargeOf(world, id, "id");
      const before = structuredClone(charge);
      if (params.description !== undefined) charge.description = params.description;
      if (params.receipt_email !== undefined) charge.receipt_email = params.receipt_email;
      charge.metadata = withMetadata(charge.metadata, params.metadata);
      emit(world, "charge.updated", charge, changedFrom(before, charge));
      return charge;
    },
  ),
  route(
    "GET",
    "/v1/charges",
    z.strictObject({
      ...listing,
      created: range.optional(),
      customer: text.optional(),
      payment_intent: text.optional(),
    }),
    ({ state }, { params, path }) =>
      listOf(matching(state.charges.values(), params, ["customer", "payment_intent"]), params, path),
  ),
  route("GET", "/v1/balance", nothing, (world) => balanceOf(world)),
  route("GET", "/v1/balance_transactions/:id", nothing, ({ state }, { id }) => {
    const transaction = state.balanceTransactions.get(id);
    if (transaction === undefined) throw missing("balance transaction", id, "id");
    return transaction;
  }),
  route(
    "GET",
    "/v1/balance_transactions",
    z.strictObject({
      ...listing,
      created: range.optional(),
      source: text.optional(),
      type: text.optional(),
      currency: text.optional(),
    }),
    ({ state }, { params, path }) => {
      const fields = ["source", "type", "currency"] as const;
      return listOf(matching(state.balanceTransactions.values(), params, fields), params, path);
    },
  ),
];
