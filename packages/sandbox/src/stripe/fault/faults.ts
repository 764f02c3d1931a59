import { z } from "zod";
import { DECLINES } from "../card/declines.ts";

const counted = { times: z.int().min(1).default(1) };
/** `POST /v1/payment_intents`; `*` at the end stands for anything. */
const on = z.string().default("POST *");
const when = z.enum(["before", "after"]).default("after");
/** `payment_intent.succeeded`, `charge.*`, `*` */
const events = z.string().default("*");

const requestFault = z.discriminatedUnion("kind", [
  /** No answer ever comes; with `after`, what was asked for has happened. */
  z.strictObject({ kind: z.literal("timeout"), when, on, ...counted }),
  /** The connection ends without an answer. */
  z.strictObject({ kind: z.literal("cut"), when, on, ...counted }),
  /** 500. With `saved`, the same key gets the same 500 again, as Stripe does when it got far enough. */
  z.strictObject({
    kind: z.literal("server_error"),
    when,
    on,
    saved: z.boolean().default(false),
    ...counted,
  }),
  z.strictObject({ kind: z.literal("rate_limit"), on, ...counted }),
  /** The answer comes later, in real milliseconds; until then its idempotency key is in use. */
  z.strictObject({ kind: z.literal("delay"), on, milliseconds: z.int().min(1).max(120_000), ...counted }),
]);

const declineFault = z.strictObject({
  kind: z.literal("decline"),
  reason: z.enum(Object.keys(DECLINES) as [string, ...string[]]).default("generic_decline"),
  ...counted,
});

const webhookFault = z.discriminatedUnion("kind", [
  /** Stripe believes that it delivered, and nothing came. */
  z.strictObject({ kind: z.literal("lose_webhook"), events, ...counted }),
  z.strictObject({ kind: z.literal("duplicate_webhook"), events, ...counted }),
  /** Comes that much later by the moving clock. */
  z.strictObject({ kind: z.literal("delay_webhook"), events, seconds: z.int().min(1), ...counted }),
  /** Of what is due at the same time, the newest comes first. */
  z.strictObject({ kind: z.literal("reorder_webhooks"), events, ...counted }),
  /** Comes twice at the same time: to the endpoint, and to each of `urls` (none: to the endpoint again). */
  z.strictObject({
    kind: z.literal("concurrent_webhook"),
    events,
    urls: z.array(z.url()).default([]),
    ...counted,
  }),
]);

export const faultShape = z.union([requestFault, declineFault, webhookFault]);

/** As it is asked for: what is left out takes the usual. */
export type FaultInput = z.input<typeof faultShape>;
export type Fault = z.output<typeof faultShape>;
export type RequestFault = z.output<typeof requestFault>;
export type WebhookFault = z.output<typeof webhookFault>;

/** What is to go wrong next. Each fault happens `times` times to what it fits, the first added first. */
export interface Faults {
  /** Throws: not a fault. */
  readonly add: (fault: FaultInput) => Fault;
  readonly list: () => readonly Fault[];
  readonly clear: () => void;
  readonly takeForRequest: (method: string, path: string) => RequestFault | null;
  readonly takeForCharge: () => string | null;
  readonly takeForEvent: (type: string) => WebhookFault | null;
}

export function createFaults(first: readonly Fault[] = []): Faults {
  const faults: Fault[] = [...first];
  const take = <Kind extends Fault>(fits: (fault: Fault) => fault is Kind): Kind | null => {
    const place = faults.findIndex(fits);
    if (place === -1) return null;
    const fault = faults[place] as Kind;
    if (--fault.times === 0) faults.splice(place, 1);
    return fault;
  };
  return {
    add: (input) => {
      const fault = faultShape.parse(input);
      faults.push(fault);
      return fault;
    },
    list: () => structuredClone(faults),
    clear: () => void faults.splice(0),
    takeForRequest: (method, path) => {
      return take((fault): fault is RequestFault => "on" in fault && matches(fault.on, `${method} ${path}`));
    },
    takeForCharge: () => take((fault) => fault.kind === "decline")?.reason ?? null,
    takeForEvent: (type) => {
      return take((fault): fault is WebhookFault => "events" in fault && matches(fault.events, type));
    },
  };
}

function matches(pattern: string, value: string): boolean {
  return pattern.endsWith("*") ? value.startsWith(pattern.slice(0, -1)) : value === pattern;
}
