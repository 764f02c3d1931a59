import { z } from "zod";
import { withMetadata } from "../metadata.ts";
import { listOf, matching } from "../wire/list.ts";
import { nothing, route } from "../wire/route.ts";
import { listing } from "../wire/shapes.ts";
import { creating, finding, updating } from "./params.ts";
import { expireSession, openSession, sessionOf } from "./session.ts";

export const checkoutRoutes = [
  route("POST", "/v1/checkout/sessions", creating, (world, { params }) => openSession(world, params)),
  route("GET", "/v1/checkout/sessions/:id", nothing, (world, { id }) => sessionOf(world, id, "id")),
  route("POST", "/v1/checkout/sessions/:id", updating, (world, { id, params }) => {
    const session = sessionOf(world, id, "id");
    session.metadata = withMetadata(session.metadata, params.metadata);
    return session;
  }),
  route("POST", "/v1/checkout/sessions/:id/expire", nothing, (world, { id }) => {
    const session = sessionOf(world, id, "id");
    expireSession(world, session);
    return session;
  }),
  route("GET", "/v1/checkout/sessions/:id/line_items", z.strictObject(listing), (world, call) => {
    const session = sessionOf(world, call.id, "id");
    // The first line comes first here.
    const items = world.state.sessionPlans.get(session.id)!.items.toReversed();
    return listOf(items, call.params, call.path);
  }),
  route("GET", "/v1/checkout/sessions", finding, ({ state }, { params, path }) => {
    const fields = ["customer", "payment_intent", "status", "subscription"] as const;
    return listOf(matching(state.sessions.values(), params, fields), params, path);
  }),
];
