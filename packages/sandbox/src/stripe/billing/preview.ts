import type { Stripe } from "stripe";
import type { z } from "zod";
import { idOf, randomLetters } from "../ids.ts";
import { invalid } from "../refusal.ts";
import type { World } from "../world.ts";
import { changeSubscription } from "./change.ts";
import { invoiceOf } from "./invoice.ts";
import type { previewing } from "./params.ts";
import { beginPeriod } from "./renew.ts";
import { startSubscription } from "./start.ts";
import { subscriptionOf } from "./subscription.ts";
import { whatIf } from "./what-if.ts";

/** What would be invoiced next: the change is made, and the period ended, in a world that nobody sees.
 *  Throws a refusal: what the change itself would be refused for. */
export function previewInvoice(world: World, params: z.output<typeof previewing>): Stripe.Invoice {
  const trial = whatIf(world);
  const invoice =
    params.subscription === undefined ? previewStart(trial, params) : previewChange(trial, params);
  const id = `upcoming_in_${randomLetters(24)}`;
  const lines = { ...invoice.lines, url: `/v1/invoices/${id}/lines` };
  lines.data = invoice.lines.data.map((line) => ({ ...line, invoice: id }));
  return {
    ...invoice,
    id,
    lines,
    status: "draft",
    attempted: false,
    number: null,
    amount_paid: 0,
    amount_remaining: invoice.amount_due,
  };
}

function previewStart(
  trial: World,
  { customer, currency, subscription_details: details }: z.output<typeof previewing>,
) {
  if (customer === undefined || details?.items === undefined) {
    throw invalid(
      "You must pass a subscription, or a customer with subscription_details[items].",
      "customer",
      "parameter_missing",
    );
  }
  const started = startSubscription(trial, {
    customer,
    currency,
    items: details.items.map(({ price, price_data, quantity }) => ({ price, price_data, quantity })),
    payment_behavior: "default_incomplete",
  });
  return invoiceOf(trial, idOf(started.latest_invoice!));
}

function previewChange(trial: World, params: z.output<typeof previewing>): Stripe.Invoice {
  const { customer, subscription: id, subscription_details: details = {} } = params;
  const subscription = subscriptionOf(trial, id!);
  if (customer !== undefined && subscription.customer !== customer) {
    throw invalid("The subscription does not belong to this customer.", "customer");
  }
  const before = subscription.latest_invoice;
  if (Object.keys(details).length > 0) changeSubscription(trial, subscription, details);
  const { latest_invoice: now } = subscription;
  if (now !== null && now !== before) return invoiceOf(trial, idOf(now));
  if (subscription.cancel_at !== null || subscription.status === "canceled") {
    throw invalid(
      "No upcoming invoices for this subscription: it is canceled, or will be.",
      "subscription",
      "invoice_upcoming_none",
    );
  }
  return beginPeriod(trial, subscription);
}
