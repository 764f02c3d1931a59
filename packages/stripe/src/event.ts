import type { Instant } from "@bursar/contract/instant";
import type { EventSubject, ProviderEvent } from "@bursar/engine/payment/payments";

/** As far as an event tells of itself. Throws on what is no event: it is then parked, and shown. */
export function toEvent(event: { id: string; type: string; created: number }): ProviderEvent {
  return { id: event.id, type: event.type, createdAt: (event.created * 1_000_000) as Instant, body: event };
}

interface About {
  id?: unknown;
  object?: unknown;
  metadata?: Record<string, string> | null;
  payment_intent?: unknown;
  customer?: unknown;
}

/** Our ids from the metadata that our own objects carry; the provider's from wherever the kind of object has them. */
export function subjectOf(body: unknown): EventSubject {
  const about = (body as { data: { object: About } }).data.object;
  const isA = (kind: string) => about.object === kind;
  return {
    accountId: about.metadata?.["bursar_account"] ?? null,
    paymentId: about.metadata?.["bursar_payment"] ?? null,
    intentId: isA("payment_intent") ? text(about.id) : text(about.payment_intent),
    checkoutId: isA("checkout.session") ? text(about.id) : null,
    customerId: isA("customer") ? text(about.id) : text(about.customer),
  };
}

/** An id, alone or as the object it names. */
function text(value: unknown): string | null {
  if (typeof value === "string") return value;
  return typeof value === "object" && value !== null && "id" in value ? String(value.id) : null;
}
