import { formatMoney } from "@bursar/contract/fiat";
import { formatInstant, type Instant } from "@bursar/contract/instant";
import type { Clock } from "../clock/clock.ts";
import type { Queryable } from "../mail/store.ts";
import { notify } from "../notice/notify.ts";
import type { Synced } from "./decide.ts";
import type { Invoice } from "./store-invoices.ts";
import type { Subscription } from "./subscription.ts";

/* What people are told of their subscription, each once, also by mail. */

const day = (at: Instant) => formatInstant(at).slice(0, 10);

interface Words {
  readonly id: string;
  readonly title: string;
  readonly text: string;
}

/** What has become of it, in the transaction that makes it so. */
export async function tellChange(
  client: Queryable,
  clock: Clock,
  before: Subscription,
  after: Synced,
): Promise<void> {
  const words = changeWords(before, after);
  if (words === null) return;
  const { accountId, id: subscriptionId } = before;
  const details = { subscriptionId, state: after.state, renewsAs: after.renewsAs };
  await notify(client, clock, { ...words, accountId, kind: "subscription_changed", details, mail: true });
}

function changeWords(before: Subscription, after: Synced): Words | null {
  const id = `${before.id}:${before.version}`;
  const end = after.periodEnd === null ? "its period's end" : day(after.periodEnd);
  if (after.state === "ended" && before.state !== "ended") {
    const title = "Your subscription has ended";
    const why = after.endReason === "unpaid" ? " because its renewal was not paid" : "";
    return { id, title, text: `The plan ${before.renewsAs} has ended${why}. Credits that you bought stay.` };
  }
  if (before.state === "starting" && after.state === "active") {
    const title = "Your subscription has begun";
    return { id, title, text: `The plan ${after.renewsAs} is active. It is renewed on ${end}.` };
  }
  if (!before.cancelAtPeriodEnd && after.cancelAtPeriodEnd) {
    const title = "Your subscription will end";
    return { id, title, text: `The plan ${before.renewsAs} ends on ${end}. Until then it can be resumed.` };
  }
  if (before.cancelAtPeriodEnd && !after.cancelAtPeriodEnd && after.state !== "ended") {
    return { id, title: "Your subscription goes on", text: `It is renewed on ${end}.` };
  }
  if (before.renewsAs !== after.renewsAs) {
    const title = "Your plan has changed";
    return {
      id,
      title,
      text: `From ${before.renewsAs} to ${after.renewsAs}; the next renewal is on ${end}.`,
    };
  }
  return null;
}

/** A renewal could not be charged: once for each try of the provider. */
export async function tellUnpaid(
  queryable: Queryable,
  clock: Clock,
  subscription: Subscription,
  invoice: Invoice,
): Promise<void> {
  const { accountId, id: subscriptionId, graceUntil } = subscription;
  const amount = formatMoney(invoice.amountDue, invoice.currency);
  const where = invoice.url === null ? "Please check your payment method." : `Pay here: ${invoice.url}`;
  const until = graceUntil === null ? "" : ` If it is not paid by ${day(graceUntil)}, the plan ends.`;
  await notify(queryable, clock, {
    id: `unpaid:${invoice.id}:${invoice.attempts}`,
    accountId,
    kind: "subscription_past_due",
    title: "Your subscription could not be renewed",
    text: `${amount} could not be charged (try ${invoice.attempts}); it is tried again. ${where}${until} Credits that you bought are not affected.`,
    details: { subscriptionId, invoiceId: invoice.id, attempt: invoice.attempts, amount: invoice.amountDue },
    mail: true,
  });
}
