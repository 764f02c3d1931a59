import type { AccountId, PaymentId } from "@bursar/contract/ids";
import { advance } from "../payment/advance.ts";
import type { AdvanceDeps } from "../payment/deps.ts";
import { ensureDefault } from "../payment/methods.ts";
import type { Payment } from "../payment/payment.ts";
import type { EventSubject } from "../payment/payments.ts";
import { restoreCustomer, restorePayment } from "../payment/restore.ts";
import { findPayment, readPayment } from "../payment/store.ts";
import { accountOfCustomer, forgetCustomer } from "../payment/store-customers.ts";
import type { EventHandler, EventHandlers } from "./process.ts";

/** Whatever has happened to a payment, the same: look at the provider's record of it and carry the payment on. */
const aboutPayment: EventHandler = async (deps, subject) => {
  const payment = await paymentOf(deps, subject);
  if (payment === null) return "ignored";
  await advance(deps, payment);
  return "done";
};

/** By our own ids where the object carries them, else by the provider's; what neither knows, it may be for the provider to
 *  say. */
async function paymentOf(deps: AdvanceDeps, subject: EventSubject): Promise<Payment | null> {
  const { accountId, paymentId, intentId, checkoutId } = subject;
  const isOurs = accountId !== null && paymentId !== null;
  const ids = { accountId: accountId as AccountId, id: paymentId as PaymentId };
  const own = isOurs ? await readPayment(deps.pool, ids.accountId, ids.id) : null;
  if (own !== null) return withIntent(own, intentId);
  if (intentId === null && checkoutId === null) return null;
  const found = await findPayment(deps.pool, { intentId, checkoutId });
  if (found !== null || !isOurs || intentId === null) return found;
  const restored = await restorePayment(deps, { ...ids, intentId });
  return restored === null ? null : withIntent(restored, intentId);
}

/** The event may know what the charge's own answer, if it was lost, would have told. */
function withIntent(payment: Payment, intentId: string | null): Payment {
  return payment.intentId === null && payment.method === "saved" ? { ...payment, intentId } : payment;
}

/** A method saved on the provider's page becomes the default where there is none. */
const aboutMethods: EventHandler = async (deps, { customerId }) => {
  if (customerId === null) return "ignored";
  const accountId = await accountOfCustomer(deps.pool, customerId);
  if (accountId === null) return "ignored";
  await ensureDefault(deps, accountId);
  return "done";
};

/** Made by us, and kept as soon as the provider has answered; after a restore it may be known from here alone. */
const customerCreated: EventHandler = async (deps, { accountId, customerId }) => {
  if (accountId !== null && customerId !== null)
    await restoreCustomer(deps, accountId as AccountId, customerId);
  return "done";
};

const customerDeleted: EventHandler = async (deps, { customerId }) => {
  if (customerId === null || (await accountOfCustomer(deps.pool, customerId)) === null) return "ignored";
  await forgetCustomer(deps.pool, customerId);
  return "done";
};

/** A page to pay on or to save a method on. */
const aboutCheckout: EventHandler = async (deps, subject, event) => {
  const [payment, methods] = [
    await aboutPayment(deps, subject, event),
    await aboutMethods(deps, subject, event),
  ];
  return payment === "done" || methods === "done" ? "done" : "ignored";
};

/** Methods are read from the provider when they are needed: that they changed asks for nothing. */
const knownAtTheProvider: EventHandler = async () => Promise.resolve("done");

export const paymentEventHandlers: EventHandlers = {
  "checkout.session.completed": aboutCheckout,
  "checkout.session.async_payment_succeeded": aboutPayment,
  "checkout.session.async_payment_failed": aboutPayment,
  "checkout.session.expired": aboutPayment,
  "payment_intent.succeeded": aboutPayment,
  "payment_intent.processing": aboutPayment,
  "payment_intent.payment_failed": aboutPayment,
  "payment_intent.requires_action": aboutPayment,
  "payment_intent.canceled": aboutPayment,
  "charge.succeeded": aboutPayment,
  "charge.failed": aboutPayment,
  "charge.refunded": aboutPayment,
  "charge.refund.updated": aboutPayment,
  "refund.created": aboutPayment,
  "refund.updated": aboutPayment,
  "refund.failed": aboutPayment,
  "charge.dispute.created": aboutPayment,
  "charge.dispute.updated": aboutPayment,
  "charge.dispute.closed": aboutPayment,
  "charge.dispute.funds_withdrawn": aboutPayment,
  "charge.dispute.funds_reinstated": aboutPayment,
  "setup_intent.succeeded": aboutMethods,
  "setup_intent.setup_failed": knownAtTheProvider,
  "payment_method.attached": knownAtTheProvider,
  "payment_method.detached": knownAtTheProvider,
  "payment_method.updated": knownAtTheProvider,
  "payment_method.automatically_updated": knownAtTheProvider,
  "customer.created": customerCreated,
  "customer.updated": knownAtTheProvider,
  "customer.deleted": customerDeleted,
};
