import { Failure } from "../failure.ts";
import type { Answer, Fields, StripeApi } from "./api.ts";

/* What events come from: each does something at Stripe and returns the id of what it was done to. */

export const idOf = (answer: Answer) => String(answer["id"]);

const NAME = "Made by bursar trigger";

/** A declined attempt leaves its intent in the error. */
function idOfIntent(answer: Answer, kind: "payment_intent" | "setup_intent"): string {
  const declined = (answer["error"] as Record<string, { id: string } | undefined> | undefined)?.[kind];
  return declined?.id ?? idOf(answer);
}

export async function pay(stripe: StripeApi, card: string): Promise<string> {
  const intent = await stripe.post("/v1/payment_intents", {
    amount: "2000",
    currency: "usd",
    payment_method: card,
    confirm: "true",
    description: NAME,
    return_url: "https://example.com/",
  });
  return idOfIntent(intent, "payment_intent");
}

export async function refund(stripe: StripeApi, card: string): Promise<string> {
  return idOf(await stripe.post("/v1/refunds", { payment_intent: await pay(stripe, card) }));
}

export const customer = async (stripe: StripeApi) => idOf(await stripe.post("/v1/customers", { name: NAME }));

export async function attach(stripe: StripeApi, card: string, owner?: string): Promise<string> {
  const fields = { customer: owner ?? (await customer(stripe)) };
  return idOf(await stripe.post(`/v1/payment_methods/${card}/attach`, fields));
}

export async function setUp(stripe: StripeApi, card: string): Promise<string> {
  const setup = await stripe.post("/v1/setup_intents", {
    customer: await customer(stripe),
    payment_method: card,
    confirm: "true",
    "payment_method_types[]": "card",
  });
  return idOfIntent(setup, "setup_intent");
}

export async function subscribed(stripe: StripeApi, card = "pm_card_visa"): Promise<string> {
  const owner = await customer(stripe);
  const method = await attach(stripe, card, owner);
  const product = idOf(await stripe.post("/v1/products", { name: NAME }));
  const subscription = await stripe.post("/v1/subscriptions", {
    customer: owner,
    default_payment_method: method,
    "items[0][price_data][currency]": "usd",
    "items[0][price_data][product]": product,
    "items[0][price_data][unit_amount]": "2000",
    "items[0][price_data][recurring][interval]": "month",
  });
  return idOf(subscription);
}

/** The open invoice of a subscription whose first payment was declined. */
export async function unpaidInvoice(stripe: StripeApi): Promise<string> {
  const subscription = await subscribed(stripe, "pm_card_chargeCustomerFail");
  return firstOf(await stripe.get(`/v1/invoices?subscription=${subscription}`))!;
}

function firstOf(list: Answer): string | undefined {
  return (list["data"] as { id: string }[])[0]?.id;
}

export async function checkout(stripe: StripeApi, fields: Fields = {}): Promise<string> {
  const session = await stripe.post("/v1/checkout/sessions", {
    mode: "payment",
    success_url: "https://example.com/",
    "line_items[0][quantity]": "1",
    "line_items[0][price_data][currency]": "usd",
    "line_items[0][price_data][unit_amount]": "2000",
    "line_items[0][price_data][product_data][name]": NAME,
    ...fields,
  });
  return idOf(session);
}

/** Somebody pays on the page of a checkout. */
export async function paidCheckout(stripe: StripeApi, method: string): Promise<string> {
  const id = await checkout(stripe);
  await stripe.act(`checkout/${id}`, { method });
  return id;
}

const PATIENCE_SECONDS = 30;

/** A payment that its cardholder disputes: the dispute comes a moment later. */
export async function disputed(stripe: StripeApi): Promise<string> {
  const intent = await pay(stripe, "pm_card_createDispute");
  for (let tries = 0; tries < PATIENCE_SECONDS; tries++) {
    await stripe.settle();
    const dispute = firstOf(await stripe.get(`/v1/disputes?payment_intent=${intent}`));
    if (dispute !== undefined) return dispute;
  }
  throw new Failure("unavailable", "unavailable", `Nobody has disputed ${intent} within half a minute.`);
}

/** What somebody says against a dispute; submitted, Stripe's test words decide it. */
export async function answerDispute(stripe: StripeApi, words: string, submit: boolean): Promise<string> {
  const id = await disputed(stripe);
  const fields = { "evidence[uncategorized_text]": words, submit: String(submit) };
  await stripe.post(`/v1/disputes/${id}`, fields);
  await stripe.settle();
  return id;
}
