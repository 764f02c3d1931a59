import type { StripeApi } from "./api.ts";

/** Makes an event happen, by doing at Stripe what it comes from. Returns what it happened to. */
type Trigger = (stripe: StripeApi) => Promise<string>;

const idOf = (answer: Readonly<Record<string, unknown>>) => String(answer["id"]);

async function pay(stripe: StripeApi, card: string): Promise<string> {
  const intent = await stripe.post("/v1/payment_intents", {
    amount: "2000",
    currency: "usd",
    payment_method: card,
    confirm: "true",
    description: "made by bursar trigger",
    return_url: "https://example.com/",
  });
  const failed = (intent["error"] as { payment_intent?: { id: string } } | undefined)?.payment_intent;
  return failed?.id ?? idOf(intent);
}

const customer = async (stripe: StripeApi) =>
  idOf(await stripe.post("/v1/customers", { name: "Made by bursar trigger" }));

async function subscribed(stripe: StripeApi): Promise<string> {
  const id = await customer(stripe);
  const method = idOf(await stripe.post("/v1/payment_methods/pm_card_visa/attach", { customer: id }));
  const product = idOf(await stripe.post("/v1/products", { name: "Made by bursar trigger" }));
  const subscription = await stripe.post("/v1/subscriptions", {
    customer: id,
    default_payment_method: method,
    "items[0][price_data][currency]": "usd",
    "items[0][price_data][product]": product,
    "items[0][price_data][unit_amount]": "2000",
    "items[0][price_data][recurring][interval]": "month",
  });
  return idOf(subscription);
}

export const TRIGGERS: Readonly<Record<string, Trigger>> = {
  "payment_intent.succeeded": (stripe) => pay(stripe, "pm_card_visa"),
  "payment_intent.payment_failed": (stripe) => pay(stripe, "pm_card_chargeDeclined"),
  "payment_intent.requires_action": (stripe) => pay(stripe, "pm_card_authenticationRequired"),
  "payment_intent.processing": (stripe) => pay(stripe, "pm_sandbox_processing"),
  "payment_intent.canceled": async (stripe) => {
    const intent = await stripe.post("/v1/payment_intents", { amount: "2000", currency: "usd" });
    return idOf(await stripe.post(`/v1/payment_intents/${idOf(intent)}/cancel`, {}));
  },
  "charge.refunded": async (stripe) => {
    const payment_intent = await pay(stripe, "pm_card_visa");
    return idOf(await stripe.post("/v1/refunds", { payment_intent }));
  },
  "charge.dispute.created": (stripe) => pay(stripe, "pm_card_createDispute"),
  "customer.created": customer,
  "customer.updated": async (stripe) => {
    const id = await customer(stripe);
    return idOf(await stripe.post(`/v1/customers/${id}`, { description: "changed" }));
  },
  "customer.deleted": async (stripe) => idOf(await stripe.delete(`/v1/customers/${await customer(stripe)}`)),
  "payment_method.attached": async (stripe) => {
    const id = await customer(stripe);
    return idOf(await stripe.post("/v1/payment_methods/pm_card_visa/attach", { customer: id }));
  },
  "payment_method.detached": async (stripe) => {
    const id = await customer(stripe);
    const method = idOf(await stripe.post("/v1/payment_methods/pm_card_visa/attach", { customer: id }));
    return idOf(await stripe.post(`/v1/payment_methods/${method}/detach`, {}));
  },
  "customer.subscription.created": subscribed,
  "invoice.paid": subscribed,
  "customer.subscription.updated": async (stripe) => {
    const id = await subscribed(stripe);
    return idOf(await stripe.post(`/v1/subscriptions/${id}`, { cancel_at_period_end: "true" }));
  },
  "customer.subscription.deleted": async (stripe) =>
    idOf(await stripe.delete(`/v1/subscriptions/${await subscribed(stripe)}`)),
  "setup_intent.succeeded": async (stripe) => {
    const id = await customer(stripe);
    const fields = {
      customer: id,
      payment_method: "pm_card_visa",
      confirm: "true",
      "payment_method_types[]": "card",
    };
    return idOf(await stripe.post("/v1/setup_intents", fields));
  },
};
