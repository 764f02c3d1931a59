import { addSeconds } from "@bursar/contract/instant";
import type { Deps } from "../deps.ts";
import { isUnavailable } from "../ledger/unavailable.ts";
import type { AdvanceDeps } from "../payment/deps.ts";
import { type EventSubject, PaymentsUnavailable } from "../payment/payments.ts";
import type { SubscriptionProvider } from "../subscription/deps.ts";
import { type EventState, endEvent, type TakenEvent, takeDueEvents } from "./store.ts";

export interface EventDeps extends AdvanceDeps, Pick<Deps, "prices"> {
  /** Where plans are sold. */
  readonly subscriptions?: SubscriptionProvider | undefined;
}

/** Does what an event means, from the provider's own record of what it is about. "ignored": not ours. */
export type EventHandler = (
  deps: EventDeps,
  subject: EventSubject,
  event: Pick<TakenEvent, "id" | "type" | "body">,
) => Promise<"done" | "ignored">;

/** By event type; a type without a handler is stored and ignored. */
export type EventHandlers = Readonly<Record<string, EventHandler>>;

const LEASE_SECONDS = 120;
const BATCH = 8;
/** An event that fails so often is parked: it is shown, and the others go on. */
const ATTEMPTS = 6;
const FIRST_DELAY_SECONDS = 2;
const OUTAGE_DELAY_SECONDS = 30;

/** Processes what has come, in any order and any number of times to one effect; any number of processes may.
 *  Returns how many it took. Throws: database unreachable. */
export async function processEvents(deps: EventDeps, handlers: EventHandlers): Promise<number> {
  const now = deps.clock.now();
  const events = await takeDueEvents(deps.pool, { now, limit: BATCH, leaseSeconds: LEASE_SECONDS });
  await Promise.all(events.map((event) => process(deps, handlers, event)));
  return events.length;
}

async function process(deps: EventDeps, handlers: EventHandlers, event: TakenEvent): Promise<void> {
  try {
    const handler = Object.hasOwn(handlers, event.type) ? handlers[event.type] : undefined;
    const subject = deps.payments.subjectOf(event.body);
    const state = handler === undefined ? "ignored" : await handler(deps, subject, event);
    await endEvent(deps.pool, event.id, { state, error: null, dueAt: null, now: deps.clock.now() });
  } catch (error) {
    await putAside(deps, event, error);
  }
}

/** An outage is nobody's fault: the event waits as long as it takes. What fails by itself is parked in the end. */
async function putAside(deps: EventDeps, event: TakenEvent, error: unknown): Promise<void> {
  const now = deps.clock.now();
  const isOutage = error instanceof PaymentsUnavailable || isUnavailable(error);
  const state: EventState = !isOutage && event.attempts >= ATTEMPTS ? "parked" : "waiting";
  const delay = isOutage ? OUTAGE_DELAY_SECONDS : FIRST_DELAY_SECONDS * 2 ** event.attempts;
  const reason = error instanceof Error ? error.message : String(error);
  const dueAt = state === "parked" ? null : addSeconds(now, delay);
  await endEvent(deps.pool, event.id, { state, error: reason, dueAt, now, isOutage });
  const facts = { err: error, eventId: event.id, type: event.type, attempts: event.attempts };
  if (state === "parked") deps.log.error(facts, "a payment event is parked: it could not be processed");
  else deps.log.warn(facts, "a payment event waits; it is tried again");
}
