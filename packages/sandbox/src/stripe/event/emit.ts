import type { Stripe } from "stripe";
import type { WebhookFault } from "../fault/faults.ts";
import { newId } from "../ids.ts";
import { missing } from "../refusal.ts";
import { API_VERSION, secondsOf, type World } from "../world.ts";
import type { Delivery } from "./delivery.ts";

/** Records that something happened, with the object as it is now, and puts it on its way to the endpoints. `previous`: what the
 *  changed fields were. */
export function emit(
  world: World,
  type: Stripe.EventBase["type"],
  object: object,
  previous?: Record<string, unknown>,
): void {
  const data = structuredClone({ object, ...(previous !== undefined && { previous_attributes: previous }) });
  const endpoints = [...world.state.webhookEndpoints.values()].filter((endpoint) => wants(endpoint, type));
  const event = {
    id: newId("evt"),
    object: "event",
    api_version: API_VERSION,
    created: secondsOf(world),
    data: data as unknown as Stripe.Event.Data,
    livemode: false,
    pending_webhooks: endpoints.length,
    request: world.request,
    type,
  } satisfies Stripe.EventBase;
  world.state.events.set(event.id, event);
  for (const { id } of endpoints) send(world, event, id, world.faults.takeForEvent(type));
}

function wants({ status, enabled_events: events }: Stripe.WebhookEndpoint, type: string): boolean {
  return status === "enabled" && (events.includes("*") || events.includes(type));
}

/** Puts one event on its way to one endpoint, in the way that a fault asks for. */
export function send(
  world: World,
  event: Stripe.EventBase,
  endpointId: string,
  fault: WebhookFault | null = null,
): void {
  const { deliveries } = world.state;
  const now = world.now();
  const put = (other: Partial<Delivery> = {}) => {
    const delivery = {
      id: newId("del"),
      eventId: event.id,
      endpointId,
      state: "waiting" as const,
      dueAt: now,
      rank: deliveries.size,
      attempts: 0,
      alsoTo: [],
      lastStatus: null,
      ...other,
    };
    deliveries.set(delivery.id, delivery);
  };
  switch (fault?.kind) {
    case undefined:
      return put();
    case "lose_webhook":
      return put({ state: "lost" });
    case "duplicate_webhook":
      put();
      return put();
    case "delay_webhook":
      return put({ dueAt: now + fault.seconds * 1000 });
    case "reorder_webhooks":
      return put({ rank: -deliveries.size });
    case "concurrent_webhook": {
      const own = world.state.webhookEndpoints.get(endpointId)!.url;
      return put({ alsoTo: fault.urls.length === 0 ? [own] : fault.urls });
    }
  }
}

/** Puts an event on its way again, to every endpoint. Throws a refusal: no such event. */
export function resend(world: World, eventId: string): void {
  const event = world.state.events.get(eventId);
  if (event === undefined) throw missing("event", eventId, "id");
  for (const id of world.state.webhookEndpoints.keys()) send(world, event, id);
}
