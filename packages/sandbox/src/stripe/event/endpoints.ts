import type { Stripe } from "stripe";
import { z } from "zod";
import { newId, randomLetters } from "../ids.ts";
import { withMetadata } from "../metadata.ts";
import { invalid, missing } from "../refusal.ts";
import { listOf } from "../wire/list.ts";
import { nothing, route } from "../wire/route.ts";
import { flag, listing, metadata, oneOf, removable, text } from "../wire/shapes.ts";
import { API_VERSION, secondsOf, type World } from "../world.ts";

export interface EndpointRequest {
  readonly url: string;
  readonly events: readonly string[];
  readonly secret?: string;
}

/** Adds an endpoint. Throws a refusal: the URL is none, or no events are named. */
export function addEndpoint(world: World, { url, events, secret }: EndpointRequest): Stripe.WebhookEndpoint {
  if (!URL.canParse(url) || !/^https?:/.test(url))
    throw invalid("Invalid URL: An explicit scheme (such as https) must be provided.", "url", "url_invalid");
  if (events.length === 0)
    throw invalid("Missing required param: enabled_events.", "enabled_events", "parameter_missing");
  const endpoint = {
    id: newId("we"),
    object: "webhook_endpoint",
    api_version: API_VERSION,
    application: null,
    created: secondsOf(world),
    description: null,
    enabled_events: [...events],
    livemode: false,
    metadata: {},
    status: "enabled",
    url,
  } satisfies Stripe.WebhookEndpoint;
  world.state.webhookEndpoints.set(endpoint.id, endpoint);
  world.state.endpointSecrets.set(endpoint.id, secret ?? `whsec_${randomLetters(32)}`);
  return endpoint;
}

/** Adds an endpoint; one of the same URL, or one that an earlier start has left, goes on with these events. */
export function registerEndpoint(world: World, request: EndpointRequest): Stripe.WebhookEndpoint {
  const all = [...world.state.webhookEndpoints.values()];
  const known =
    all.find(({ url }) => url === request.url) ?? all.find(({ id }) => world.leftEndpoints.has(id));
  if (known === undefined) return addEndpoint(world, request);
  world.leftEndpoints.delete(known.id);
  Object.assign(known, { url: request.url, enabled_events: [...request.events], status: "enabled" });
  if (request.secret !== undefined) world.state.endpointSecrets.set(known.id, request.secret);
  return known;
}

function existing({ state }: World, id: string): Stripe.WebhookEndpoint {
  const endpoint = state.webhookEndpoints.get(id);
  if (endpoint === undefined) throw missing("webhook endpoint", id, "id");
  return endpoint;
}

export const endpointRoutes = [
  route(
    "POST",
    "/v1/webhook_endpoints",
    z.strictObject({
      url: text,
      enabled_events: z.array(text),
      api_version: z.literal(API_VERSION).optional(),
      description: removable.optional(),
      metadata: metadata.optional(),
    }),
    (world, { params }) => {
      const endpoint = addEndpoint(world, { url: params.url, events: params.enabled_events });
      endpoint.description = params.description ?? null;
      endpoint.metadata = withMetadata({}, params.metadata);
      // Told once, as Stripe does.
      return { ...endpoint, secret: world.state.endpointSecrets.get(endpoint.id) };
    },
  ),
  route("GET", "/v1/webhook_endpoints/:id", nothing, (world, { id }) => existing(world, id)),
  route(
    "POST",
    "/v1/webhook_endpoints/:id",
    z.strictObject({
      url: text.optional(),
      enabled_events: z.array(text).min(1).optional(),
      disabled: flag.optional(),
      status: oneOf("enabled", "disabled").optional(),
      description: removable.optional(),
      metadata: metadata.optional(),
    }),
    (world, { id, params }) => {
      const endpoint = existing(world, id);
      endpoint.url = params.url ?? endpoint.url;
      endpoint.enabled_events = params.enabled_events ?? endpoint.enabled_events;
      if (params.disabled !== undefined) endpoint.status = params.disabled ? "disabled" : "enabled";
      if (params.description !== undefined) endpoint.description = params.description;
      endpoint.metadata = withMetadata(endpoint.metadata, params.metadata);
      return endpoint;
    },
  ),
  route("DELETE", "/v1/webhook_endpoints/:id", nothing, (world, { id }) => {
    existing(world, id);
    world.state.webhookEndpoints.delete(id);
    world.state.endpointSecrets.delete(id);
    return { id, object: "webhook_endpoint", deleted: true };
  }),
  route("GET", "/v1/webhook_endpoints", z.strictObject(listing), ({ state }, { params, path }) =>
    listOf(state.webhookEndpoints.values(), params, path),
  ),
];
