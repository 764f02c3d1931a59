import { createHmac } from "node:crypto";
import { secondsOf, type World } from "../world.ts";
import { type Delivery, nextAttemptAt } from "./delivery.ts";

export interface Deliverer {
  /** Starts on what is due, if nobody has. */
  readonly wake: () => void;
  /** Resolves when nothing is due and nothing on its way, with the number of attempts since the last time it was asked. */
  readonly drain: () => Promise<number>;
  readonly close: () => Promise<void>;
}

/** An endpoint that needs longer has not answered. */
const TIMEOUT_MILLISECONDS = 10_000;

/** Sends events to their endpoints, one after the other, signed; what is not answered with 2xx is tried again later. */
export function createDeliverer(world: World): Deliverer {
  const closing = new AbortController();
  let running: Promise<void> | null = null;
  let attempts = 0;
  const run = async () => {
    for (let next = nextDue(world); next !== null && !closing.signal.aborted; next = nextDue(world)) {
      await attempt(world, next, closing.signal);
      attempts++;
    }
  };
  const start = () => {
    running ??= run().finally(() => {
      running = null;
    });
    return running;
  };
  return {
    wake: () => void start(),
    drain: async () => {
      await start();
      const made = attempts;
      attempts = 0;
      return made;
    },
    close: async () => {
      closing.abort();
      await running;
    },
  };
}

/** Who has not said yet where they listen since the last start is waited for. */
function nextDue({ state, now, leftEndpoints }: World): Delivery | null {
  const time = now();
  let next: Delivery | null = null;
  for (const delivery of state.deliveries.values()) {
    if (delivery.state !== "waiting" || delivery.dueAt > time) continue;
    if (leftEndpoints.has(delivery.endpointId)) continue;
    if (next === null || delivery.rank < next.rank) next = delivery;
  }
  return next;
}

async function attempt(world: World, delivery: Delivery, closing: AbortSignal): Promise<void> {
  const { state } = world;
  const event = state.events.get(delivery.eventId);
  const endpoint = state.webhookEndpoints.get(delivery.endpointId);
  if (event === undefined || endpoint === undefined) {
    delivery.state = "given_up";
    return;
  }
  const body = JSON.stringify(event, null, 2);
  const secret = state.endpointSecrets.get(endpoint.id)!;
  const headers = {
    "content-type": "application/json; charset=utf-8",
    "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
    "stripe-signature": signature(body, secret, secondsOf(world)),
  };
  const urls = [endpoint.url, ...delivery.alsoTo];
  const statuses = await Promise.all(urls.map((url) => post(url, headers, body, closing)));
  if (closing.aborted) return;
  settle(world, delivery, statuses);
}

function settle(world: World, delivery: Delivery, statuses: readonly number[]): void {
  delivery.attempts++;
  delivery.lastStatus = statuses.find((status) => !isSuccess(status)) ?? statuses[0]!;
  if (isSuccess(delivery.lastStatus)) {
    delivery.state = "delivered";
    const event = world.state.events.get(delivery.eventId)!;
    event.pending_webhooks = Math.max(0, event.pending_webhooks - 1);
    return;
  }
  const again = nextAttemptAt(delivery.attempts, world.now());
  if (again === null) delivery.state = "given_up";
  else delivery.dueAt = again;
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** `t=…,v1=…` as Stripe signs: HMAC of the time and the raw body. */
export function signature(body: string, secret: string, seconds: number): string {
  const mac = createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex");
  return `t=${seconds},v1=${mac}`;
}

/** The status of the answer; 0 when there was none. Redirects are no success, as at Stripe. */
async function post(
  url: string,
  headers: Record<string, string>,
  body: string,
  closing: AbortSignal,
): Promise<number> {
  const signal = AbortSignal.any([closing, AbortSignal.timeout(TIMEOUT_MILLISECONDS)]);
  try {
    const response = await fetch(url, { method: "POST", headers, body, signal, redirect: "manual" });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return 0;
  }
}
