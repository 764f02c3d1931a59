import type { Instant } from "@bursar/contract/instant";
import type { MethodChange } from "@bursar/engine/subscription/payments";

type Settings = { readonly default_payment_method?: unknown } | null;

interface Event {
  readonly type?: unknown;
  readonly created?: unknown;
  readonly data?: {
    readonly object?: { readonly id?: unknown; readonly invoice_settings?: Settings };
    readonly previous_attributes?: { readonly customer?: unknown; readonly invoice_settings?: Settings };
  };
}

/** As far as an event tells, whose previous fields are those that have changed; null: it is about neither a customer's new
 *  default method nor one that is no customer's any more. */
export function methodChangeOf(body: unknown): MethodChange | null {
  const { type, created, data } = body as Event;
  const { object, previous_attributes: previous } = data ?? {};
  if (typeof created !== "number" || typeof object?.id !== "string") return null;
  const at = (created * 1_000_000) as Instant;
  if (type === "customer.updated") {
    const isAnother =
      previous?.invoice_settings?.default_payment_method !== undefined &&
      object.invoice_settings?.default_payment_method != null;
    return isAnother ? { customerId: object.id, removed: null, at } : null;
  }
  if (type !== "payment_method.detached" || typeof previous?.customer !== "string") return null;
  return { customerId: previous.customer, removed: object.id, at };
}
