import type { StripeApi } from "./api.ts";
import {
  answerDispute,
  attach,
  checkout,
  customer,
  disputed,
  idOf,
  paidCheckout,
  pay,
  refund,
  setUp,
  subscribed,
  unpaidInvoice,
} from "./scenes.ts";

/** Makes an event happen, by doing at Stripe what it comes from. */
interface Trigger {
  /** Returns what it happened to. */
  readonly happen: (stripe: StripeApi) => Promise<string>;
  /** The event comes minutes later by Stripe's clock, which in the sandbox is the one that is moved. */
  readonly isLater?: true;
}

const soon = (happen: Trigger["happen"]): Trigger => ({ happen });
const later = (happen: Trigger["happen"]): Trigger => ({ happen, isLater: true });

const PAYMENTS = {
  "payment_intent.succeeded": soon((stripe) => pay(stripe, "pm_card_visa")),
  "payment_intent.payment_failed": soon((stripe) => pay(stripe, "pm_card_chargeDeclined")),
  "payment_intent.requires_action": soon((stripe) => pay(stripe, "pm_card_authenticationRequired")),
  "payment_intent.processing": soon((stripe) => pay(stripe, "pm_sandbox_processing")),
  "payment_intent.canceled": soon(async (stripe) => {
    const intent = await stripe.post("/v1/payment_intents", { amount: "2000", currency: "usd" });
    return idOf(await stripe.post(`/v1/payment_intents/${idOf(intent)}/cancel`, {}));
  }),
  "charge.succeeded": soon((stripe) => pay(stripe, "pm_card_visa")),
  "charge.failed": soon((stripe) => pay(stripe, "pm_card_chargeDeclined")),
  "checkout.session.completed": soon((stripe) => paidCheckout(stripe, "pm_card_visa")),
  "checkout.session.async_payment_succeeded": later((stripe) =>
    paidCheckout(stripe, "pm_usBankAccount_success"),
  ),
  "checkout.session.async_payment_failed": later((stripe) =>
    paidCheckout(stripe, "pm_usBankAccount_insufficientFunds"),
  ),
  "checkout.session.expired": soon(async (stripe) => {
    const id = await checkout(stripe);
    return idOf(await stripe.post(`/v1/checkout/sessions/${id}/expire`, {}));
  }),
};

const MONEY_BACK = {
  "charge.refunded": soon((stripe) => refund(stripe, "pm_card_visa")),
  "refund.created": soon((stripe) => refund(stripe, "pm_card_visa")),
  "refund.updated": later((stripe) => refund(stripe, "pm_card_pendingRefund")),
  "refund.failed": later((stripe) => refund(stripe, "pm_card_refundFail")),
  "charge.refund.updated": later((stripe) => refund(stripe, "pm_card_pendingRefund")),
  "charge.dispute.created": soon(disputed),
  "charge.dispute.funds_withdrawn": soon(disputed),
  "charge.dispute.updated": soon((stripe) => answerDispute(stripe, "It was delivered", false)),
  "charge.dispute.funds_reinstated": soon((stripe) => answerDispute(stripe, "winning_evidence", true)),
  "charge.dispute.closed": soon((stripe) => answerDispute(stripe, "losing_evidence", true)),
};

const CUSTOMERS = {
  "customer.created": soon(customer),
  "customer.updated": soon(async (stripe) => {
    const id = await customer(stripe);
    return idOf(await stripe.post(`/v1/customers/${id}`, { description: "changed" }));
  }),
  "customer.deleted": soon(async (stripe) =>
    idOf(await stripe.delete(`/v1/customers/${await customer(stripe)}`)),
  ),
  "payment_method.attached": soon((stripe) => attach(stripe, "pm_card_visa")),
  "payment_method.detached": soon(async (stripe) => {
    const method = await attach(stripe, "pm_card_visa");
    return idOf(await stripe.post(`/v1/payment_methods/${method}/detach`, {}));
  }),
  "payment_method.updated": soon(async (stripe) => {
    const method = await attach(stripe, "pm_card_visa");
    const fields = { "card[exp_month]": "12", "card[exp_year]": "2099" };
    return idOf(await stripe.post(`/v1/payment_methods/${method}`, fields));
  }),
  "payment_method.automatically_updated": soon(async (stripe) => {
    const method = await attach(stripe, "pm_card_visa");
    await stripe.act(`cards/${method}`, { expires: { month: 12, year: 2099 } });
    return method;
  }),
  "setup_intent.succeeded": soon((stripe) => setUp(stripe, "pm_card_visa")),
  "setup_intent.setup_failed": soon((stripe) => setUp(stripe, "pm_card_chargeDeclined")),
};

const SUBSCRIPTIONS = {
  "customer.subscription.created": soon((stripe) => subscribed(stripe)),
  "customer.subscription.updated": soon(async (stripe) => {
    const id = await subscribed(stripe);
    return idOf(await stripe.post(`/v1/subscriptions/${id}`, { cancel_at_period_end: "true" }));
  }),
  "customer.subscription.deleted": soon(async (stripe) =>
    idOf(await stripe.delete(`/v1/subscriptions/${await subscribed(stripe)}`)),
  ),
  "invoice.created": soon((stripe) => subscribed(stripe)),
  "invoice.finalized": soon((stripe) => subscribed(stripe)),
  "invoice.paid": soon((stripe) => subscribed(stripe)),
  "invoice.payment_succeeded": soon((stripe) => subscribed(stripe)),
  "invoice.payment_failed": soon(unpaidInvoice),
  "invoice.voided": soon(async (stripe) =>
    idOf(await stripe.post(`/v1/invoices/${await unpaidInvoice(stripe)}/void`, {})),
  ),
  "invoice.marked_uncollectible": soon(async (stripe) =>
    idOf(await stripe.post(`/v1/invoices/${await unpaidInvoice(stripe)}/mark_uncollectible`, {})),
  ),
};

export const TRIGGERS: Readonly<Record<string, Trigger>> = {
  ...PAYMENTS,
  ...MONEY_BACK,
  ...CUSTOMERS,
  ...SUBSCRIPTIONS,
};
