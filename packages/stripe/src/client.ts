import { Stripe } from "stripe";
import type { StripeSettings } from "./settings.ts";

/** The version the adapter is written against: what Stripe changes later does not reach it. */
const API_VERSION = "2026-10-28.endive" satisfies typeof Stripe.API_VERSION;

/** Stripe's official SDK. Retries are the engine's, by its own rows and their ids as idempotency keys; so the SDK makes
 *  none of its own. */
export function stripeOf({ secretKey, timeoutMilliseconds, url }: StripeSettings): Stripe {
  return new Stripe(secretKey, {
    apiVersion: API_VERSION,
    maxNetworkRetries: 0,
    timeout: timeoutMilliseconds ?? 8000,
    telemetry: false,
    ...addressOf(url),
  });
}

function addressOf(url: string | undefined) {
  if (url === undefined) return {};
  const { hostname, port, protocol } = new URL(url);
  const isPlain = protocol === "http:";
  return {
    host: hostname,
    port: port || (isPlain ? "80" : "443"),
    protocol: isPlain ? "http" : "https",
  } as const;
}
