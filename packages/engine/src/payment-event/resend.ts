import { addSeconds, type Instant } from "@bursar/contract/instant";
import type { AdvanceDeps } from "../payment/deps.ts";
import type { ProviderEvent } from "../payment/payments.ts";
import type { EventHandlers } from "./process.ts";
import {
  type EventRow,
  forgetEvents,
  insertEvent,
  insertEvents,
  readEvent,
  readMark,
  requeueEvent,
  setMark,
} from "./store.ts";

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

/** So many are written at once. */
const PAGE_EVENTS = 100;
const PERIOD_SECONDS = 900;
const OVERLAP_SECONDS = 3600;
/** The first time, what has happened before Bursar was there is none of its business. */
const FIRST_SECONDS = 86_400;
const REMEMBERED_SECONDS = 90 * 86_400;

/** Reads the provider's own list of events, every 15 minutes and always to its end: a webhook that is lost for good, or
 *  was sent nowhere for days, loses nothing. How far it has read moves on only after a complete pass.
 *  The returned function says how many were new. */
export function catchUpEvents(deps: AdvanceDeps, handlers: EventHandlers): () => Promise<number> {
  let askAt = 0 as Instant;
  return async () => {
    const now = deps.clock.now();
    if (now < askAt) return 0;
    askAt = addSeconds(now, PERIOD_SECONDS);
    const readAt = await readMark(deps.pool);
    const since = addSeconds(readAt ?? now, readAt === null ? -FIRST_SECONDS : -OVERLAP_SECONDS);
    let found = 0;
    let page: ProviderEvent[] = [];
    const keep = async () => {
      if (page.length > 0) found += await insertEvents(deps.pool, page, now);
      page = [];
    };
    try {
      for await (const event of deps.payments.eventsSince(since)) {
        if (!Object.hasOwn(handlers, event.type)) continue;
        page.push(event);
        if (page.length === PAGE_EVENTS) await keep();
      }
    } finally {
      // What came before the provider failed is kept.
      await keep();
    }
    await setMark(deps.pool, now);
    await forgetEvents(deps.pool, addSeconds(now, -REMEMBERED_SECONDS));
    return found;
  };
}
