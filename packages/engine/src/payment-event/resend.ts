import { addSeconds, type Instant } from "@bursar/contract/instant";
import type { AdvanceDeps } from "../payment/advance.ts";
import type { EventHandlers } from "./process.ts";
import { type EventRow, insertEvent, newestEventAt, readEvent, requeueEvent } from "./store.ts";

/** Processes an event again, however it ended; one that never came is fetched from the provider. null: there is none.
 *  Throws: PaymentsUnavailable. */
export async function resendEvent(deps: AdvanceDeps, id: string): Promise<EventRow | null> {
  const now = deps.clock.now();
  if ((await readEvent(deps.pool, id)) === null) {
    const event = await deps.payments.event(id);
    if (event === null) return null;
    await insertEvent(deps.pool, event, now);
  } else {
    await requeueEvent(deps.pool, id, now);
  }
  return readEvent(deps.pool, id);
}

const PERIOD_SECONDS = 900;
const OVERLAP_SECONDS = 3600;
const LIMIT = 500;

/** Asks the provider, every 15 minutes, for events that never came: a webhook that is lost for good loses nothing.
 *  The returned function says how many were new. */
export function catchUpEvents(deps: AdvanceDeps, handlers: EventHandlers): () => Promise<number> {
  let askAt = 0 as Instant;
  return async () => {
    const now = deps.clock.now();
    if (now < askAt) return 0;
    askAt = addSeconds(now, PERIOD_SECONDS);
    const newest = await newestEventAt(deps.pool);
    const since = addSeconds(newest ?? now, -OVERLAP_SECONDS);
    let found = 0;
    for (const event of await deps.payments.eventsSince(since, LIMIT)) {
      if (!Object.hasOwn(handlers, event.type)) continue;
      if (await insertEvent(deps.pool, event, now)) found++;
    }
    return found;
  };
}
