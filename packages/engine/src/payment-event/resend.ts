import { addSeconds } from "@bursar/contract/instant";
import { openPace } from "../clock/pace.ts";
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
  const isTime = openPace(PERIOD_SECONDS);
  return async () => {
    const now = deps.clock.now();
    if (!isTime(now)) return 0;
    const readAt = await readMark(deps.pool);
    // A mark that is still to come was set by a clock that was wrong: nobody knows how far was read.
    const isKnown = readAt !== null && readAt <= now;
    const since = isKnown ? addSeconds(readAt, -OVERLAP_SECONDS) : addSeconds(now, -FIRST_SECONDS);
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
