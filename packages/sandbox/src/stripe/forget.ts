import type { World } from "./world.ts";

const DAY_MILLISECONDS = 86_400_000;
/** Stripe answers for events of the last 30 days; a sandbox need not remember more than this many. */
const EVENT_DAYS = 30;
const EVENT_LIMIT = 2000;

/** Lets go of old events, and of deliveries that are done. They stand in the order of their time. */
export function forgetOld({ state, now }: World): void {
  const oldest = (now() - EVENT_DAYS * DAY_MILLISECONDS) / 1000;
  for (const { id, created } of state.events.values()) {
    if (created >= oldest && state.events.size <= EVENT_LIMIT) break;
    state.events.delete(id);
  }
  for (const { id, eventId, state: outcome } of state.deliveries.values()) {
    if (state.events.has(eventId)) break;
    if (outcome !== "waiting") state.deliveries.delete(id);
  }
}
