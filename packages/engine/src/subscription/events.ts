import { ensureDefault } from "../payment/methods.ts";
import { accountOfCustomer } from "../payment/store-customers.ts";
import type { EventHandler, EventHandlers } from "../payment-event/process.ts";
import { followDefault } from "./method.ts";
import { syncInvoice, syncSubscription } from "./sync.ts";

/** All mean the same: look. */
const look: EventHandler = async ({ subscriptions, ...deps }, _, event) => {
  const subject = subscriptions?.payments.subjectOf(event.body) ?? null;
  if (subscriptions === undefined || subject === null) return "ignored";
  const all = { ...deps, payments: subscriptions.payments };
  const outcome =
    subject.kind === "invoice" ? await syncInvoice(all, subject.id) : await syncSubscription(all, subject.id);
  return outcome.kind === "synced" ? "done" : "ignored";
};

/** A payment was paid back or is disputed: it may have been for an invoice. */
const lookAtPayment: EventHandler = async ({ subscriptions, ...deps }, { intentId }) => {
  if (subscriptions === undefined || intentId === null) return "ignored";
  const { payments } = subscriptions;
  const invoiceId = await payments.invoiceOfPayment(intentId);
  if (invoiceId === null) return "ignored";
  const outcome = await syncInvoice({ ...deps, payments }, invoiceId);
  return outcome.kind === "synced" ? "done" : "ignored";
};

/** Renewals go where the customer's default method goes. */
const lookAtMethod: EventHandler = async ({ subscriptions, pool, ...deps }, _, event) => {
  const change = subscriptions?.payments.methodChangeOf(event.body) ?? null;
  if (subscriptions === undefined || change === null) return "ignored";
  const accountId = await accountOfCustomer(pool, change.customerId);
  if (accountId === null) return "ignored";
  const { payments } = subscriptions;
  if (change.removed !== null) await ensureDefault({ ...deps, pool }, accountId);
  await followDefault({ pool, payments }, accountId, change);
  return "done";
};

/** The provider's events about subscriptions and their invoices, in any order and any number of times. */
export const subscriptionEventHandlers: EventHandlers = {
  "invoice.created": look,
  "invoice.finalized": look,
  "invoice.paid": look,
  "invoice.payment_failed": look,
  "invoice.payment_succeeded": look,
  "invoice.voided": look,
  "invoice.marked_uncollectible": look,
  "customer.subscription.created": look,
  "customer.subscription.updated": look,
  "customer.subscription.deleted": look,
  "charge.refunded": lookAtPayment,
  "refund.created": lookAtPayment,
  "refund.updated": lookAtPayment,
  "refund.failed": lookAtPayment,
  "charge.refund.updated": lookAtPayment,
  "charge.dispute.created": lookAtPayment,
  "charge.dispute.updated": lookAtPayment,
  "charge.dispute.funds_withdrawn": lookAtPayment,
  "charge.dispute.funds_reinstated": lookAtPayment,
  "charge.dispute.closed": lookAtPayment,
  "customer.updated": lookAtMethod,
  "payment_method.detached": lookAtMethod,
};
