import type { World } from "./world.ts";

const DAY_MILLISECONDS = 86_400_000;
/** Stripe answers for events of the last 30 days. */
const EVENT_DAYS = 30;

/** Lets go of old events, and of deliveries that are done. They stand in the order of their time. */
export function forgetOld({ state, now }: World): void {
  const oldest = (now() - EVENT_DAYS * DAY_MILLISECONDS) / 1000;
  for (const { id, created } of state.events.values()) {
    if (created >= oldest) break;
    state.events.delete(id);
  }
  for (const { id, eventId, state: outcome } of state.deliveries.values()) {
    if (state.events.has(eventId)) break;
    if (outcome !== "waiting") state.deliveries.delete(id);
  }
}
