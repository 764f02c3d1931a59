import { createHmac } from "node:crypto";
import type { StripeApi } from "./api.ts";

export interface Forwarded {
  readonly at: string;
  readonly id: string;
  readonly type: string;
  /** The status that the receiver answered; null: nothing answered. */
  readonly status: number | null;
}

interface StripeEvent {
  readonly id: string;
  readonly type: string;
  readonly created: number;
}

/** Asks Stripe for what has happened since the event `after`, oldest first. */
export async function eventsAfter(stripe: StripeApi, after: string | null): Promise<StripeEvent[]> {
  const range = after === null ? "" : `&ending_before=${after}`;
  const { data } = (await stripe.get(`/v1/events?limit=100${range}`)) as unknown as { data: StripeEvent[] };
  return data.toReversed();
}

/** Sends an event on as Stripe would, signed with `secret`. */
export async function forward(event: StripeEvent, url: string, secret: string): Promise<Forwarded> {
  const body = JSON.stringify(event);
  const at = new Date();
  const time = Math.floor(at.getTime() / 1000);
  const signature = createHmac("sha256", secret).update(`${time}.${body}`).digest("hex");
  const headers = { "content-type": "application/json", "stripe-signature": `t=${time},v1=${signature}` };
  const status = await fetch(url, {
    method: "POST",
    headers,
    body,
    signal: AbortSignal.timeout(30_000),
  }).then(
    (response) => response.status,
    () => null,
  );
  return { at: at.toISOString(), id: event.id, type: event.type, status };
}
