import type { SubscriptionPayments } from "@bursar/engine/subscription/payments";
import { stripeOf } from "../client.ts";
import type { StripeSettings } from "../settings.ts";
import { stripeSubscriptions } from "./subscriptions.ts";

/** The port for subscriptions on Stripe's official SDK. `returnUrl`: where people come back to from a page who were not
 *  sent from anywhere; asked late. */
export function openStripeSubscriptions(
  settings: StripeSettings,
  returnUrl: () => string,
): SubscriptionPayments {
  return stripeSubscriptions(stripeOf(settings), returnUrl);
}
