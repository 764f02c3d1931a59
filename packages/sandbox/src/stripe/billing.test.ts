import type { Stripe } from "stripe";
import { expect, test } from "vitest";
import { periodAt } from "./billing/period.ts";
import { errorOf, useSandboxStripe } from "./testing/world.ts";

const { sandbox, stripe, receiver, clock, advance } = await useSandboxStripe();
sandbox.register(receiver.url);

const DAY = 86_400_000;
const seconds = (...date: Parameters<typeof Date.UTC>) => Date.UTC(...date) / 1000;

async function priceOf(amount: number, interval: "month" | "year" = "month", currency = "usd") {
  const product = await stripe.products.create({ name: `Plan ${amount}` });
  const price = await stripe.prices.create({
    product: product.id,
    currency,
    unit_amount: amount,
    recurring: { interval },
  });
  return price.id;
}

async function customerWith(token: string) {
  const customer = await stripe.customers.create({
    payment_method: token,
    invoice_settings: { default_payment_method: token },
  });
  return customer.id;
}

async function subscribed(
  price: string,
  token = "pm_card_visa",
  other: Partial<Stripe.SubscriptionCreateParams> = {},
) {
  const customer = await customerWith(token);
  const subscription = await stripe.subscriptions.create({
    customer,
    items: [{ price }],
    expand: ["latest_invoice.payments"],
    ...other,
  });
  await sandbox.tick();
  receiver.clear();
  return subscription;
}

const periodOf = ({ items }: Stripe.Subscription) =>
  [items.data[0]!.current_period_start, items.data[0]!.current_period_end].map((time) =>
    new Date(time * 1000).toISOString().slice(0, 10),
  );

async function methodOf({ customer }: Stripe.Subscription): Promise<string> {
  return (await stripe.customers.listPaymentMethods(customer as string)).data[0]!.id;
}

test("months that are too short end on their last day, and the anchor's day comes back", () => {
  const anchor = seconds(2026, 0, 31, 12);
  const month = { unit: "month", count: 1 } as const;
  expect(periodAt(anchor, month, anchor).end).toBe(seconds(2026, 1, 28, 12));
  expect(periodAt(anchor, month, seconds(2026, 1, 28, 12)).end).toBe(seconds(2026, 2, 31, 12));
  const leap = seconds(2024, 1, 29);
  expect(periodAt(leap, { unit: "year", count: 1 }, leap).end).toBe(seconds(2025, 1, 28));
  expect(periodAt(leap, { unit: "year", count: 1 }, seconds(2027, 5, 1)).end).toBe(seconds(2028, 1, 29));
});

test("a subscription is paid at its start and at every renewal, on its day", async () => {
  const subscription = await subscribed(await priceOf(1000));
  expect(subscription.status).toBe("active");
  const invoice = subscription.latest_invoice as Stripe.Invoice;
  expect(invoice).toMatchObject({
    status: "paid",
    billing_reason: "subscription_create",
    amount_paid: 1000,
    parent: { subscription_details: { subscription: subscription.id } },
    payments: { data: [{ status: "paid", payment: { type: "payment_intent" } }] },
  });
  expect(periodOf(subscription)).toEqual(["2026-01-31", "2026-02-28"]);
  await advance(28 * DAY);
  expect(receiver.types()).toEqual([
    "customer.subscription.updated",
    "invoice.created",
    "invoice.finalized",
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.succeeded",
    "invoice_payment.paid",
    "invoice.paid",
    "invoice.payment_succeeded",
  ]);
  const renewed = await stripe.subscriptions.retrieve(subscription.id);
  expect(periodOf(renewed)).toEqual(["2026-02-28", "2026-03-31"]);
  await advance(62 * DAY);
  const invoices = await stripe.invoices.list({ subscription: subscription.id });
  expect(invoices.data.map(({ amount_paid: amount, status }) => [amount, status])).toEqual(
    Array.from({ length: 4 }, () => [1000, "paid"]),
  );
  await stripe.subscriptions.cancel(subscription.id);
});

test("a declined renewal is past due, asked again after 3, 5 and 7 days, and then ends the subscription", async () => {
  const subscription = await subscribed(await priceOf(1000));
  sandbox.changeCard(await methodOf(subscription), { behavesAs: "pm_card_chargeDeclined" });
  await advance(periodEnd(subscription) - clock.now);
  expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe("past_due");
  expect(receiver.types()).toContain("invoice.payment_failed");
  const attempts = async () =>
    (await stripe.invoices.list({ subscription: subscription.id })).data[0]!.attempt_count;
  const counted = [await attempts()];
  for (const days of [3, 5, 7]) {
    await advance(days * DAY);
    counted.push(await attempts());
  }
  expect(counted).toEqual([1, 2, 3, 4]);
  expect(await stripe.subscriptions.retrieve(subscription.id)).toMatchObject({
    status: "canceled",
    cancellation_details: { reason: "payment_failed" },
  });
  expect(receiver.types()).toContain("customer.subscription.deleted");
});

const periodEnd = ({ items }: Stripe.Subscription) => items.data[0]!.current_period_end * 1000;

test("a past-due subscription is active again when its invoice is paid with another card", async () => {
  const subscription = await subscribed(await priceOf(1000));
  sandbox.changeCard(await methodOf(subscription), { behavesAs: "pm_card_chargeDeclined" });
  await advance(periodEnd(subscription) - clock.now);
  const other = await stripe.paymentMethods.attach("pm_card_mastercard", {
    customer: subscription.customer as string,
  });
  const [open] = (await stripe.invoices.list({ subscription: subscription.id, status: "open" })).data;
  const declined = await errorOf(stripe.invoices.pay(open!.id));
  expect(declined.code).toBe("card_declined");
  expect((await stripe.invoices.pay(open!.id, { payment_method: other.id })).status).toBe("paid");
  expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe("active");
  await stripe.subscriptions.cancel(subscription.id);
});

test("an upgrade in the middle of the period is prorated, and the preview says the same", async () => {
  const [small, large] = [await priceOf(1000), await priceOf(3000)];
  const subscription = await subscribed(small);
  const half = (periodEnd(subscription) - clock.now) / 2;
  await advance(half);
  const items = [{ id: subscription.items.data[0]!.id, price: large }];
  const preview = await stripe.invoices.createPreview({
    subscription: subscription.id,
    subscription_details: { items, proration_behavior: "always_invoice" },
  });
  expect(preview.lines.data.map(({ amount }) => amount)).toEqual([-500, 1500]);
  expect(preview).toMatchObject({ total: 1000, amount_due: 1000, status: "draft" });
  expect((await stripe.subscriptions.retrieve(subscription.id)).items.data[0]!.price.id).toBe(small);
  const changed = await stripe.subscriptions.update(subscription.id, {
    items,
    proration_behavior: "always_invoice",
    expand: ["latest_invoice"],
  });
  expect(changed.latest_invoice).toMatchObject({
    billing_reason: "subscription_update",
    total: preview.total,
    status: "paid",
  });
  await stripe.subscriptions.cancel(subscription.id);
});

test("a downgrade's rest waits for the next invoice; with none it is forgotten", async () => {
  const [small, large] = [await priceOf(1000), await priceOf(3000)];
  const subscription = await subscribed(large);
  await advance((periodEnd(subscription) - clock.now) / 2);
  const items = [{ id: subscription.items.data[0]!.id, price: small }];
  await stripe.subscriptions.update(subscription.id, { items });
  const preview = await stripe.invoices.createPreview({ subscription: subscription.id });
  expect(preview.lines.data.map(({ amount }) => amount)).toEqual([-1500, 500, 1000]);
  await advance(periodEnd(subscription) - clock.now);
  const [renewal] = (await stripe.invoices.list({ subscription: subscription.id })).data;
  expect(renewal).toMatchObject({ total: 0, status: "paid", billing_reason: "subscription_cycle" });
  await stripe.subscriptions.update(subscription.id, {
    items: [{ id: items[0]!.id, price: large }],
    proration_behavior: "none",
  });
  const after = await stripe.invoices.createPreview({ subscription: subscription.id });
  expect(after.lines.data.map(({ amount }) => amount)).toEqual([3000]);
  await stripe.subscriptions.cancel(subscription.id);
});

test("from month to year a new period begins now, less what was not used", async () => {
  const subscription = await subscribed(await priceOf(1000));
  await advance((periodEnd(subscription) - clock.now) / 2);
  const year = await stripe.subscriptions.update(subscription.id, {
    items: [{ id: subscription.items.data[0]!.id, price: await priceOf(10_000, "year") }],
    expand: ["latest_invoice"],
  });
  expect(year.latest_invoice).toMatchObject({ total: 9500, status: "paid" });
  expect(year.items.data[0]!.current_period_start).toBe(Math.floor(clock.now / 1000));
  await stripe.subscriptions.cancel(subscription.id);
});

test("what is given back beyond what is owed becomes the customer's balance and pays the next invoice", async () => {
  const [small, large] = [await priceOf(500), await priceOf(4000)];
  const subscription = await subscribed(large);
  await stripe.subscriptions.update(subscription.id, {
    items: [{ id: subscription.items.data[0]!.id, price: small }],
    proration_behavior: "always_invoice",
  });
  const customer = await stripe.customers.retrieve(subscription.customer as string);
  expect(customer).toMatchObject({ balance: -3500 });
  await advance(periodEnd(subscription) - clock.now);
  const [renewal] = (await stripe.invoices.list({ subscription: subscription.id })).data;
  expect(renewal).toMatchObject({
    total: 500,
    amount_due: 0,
    status: "paid",
    starting_balance: -3500,
    ending_balance: -3000,
  });
  await stripe.subscriptions.cancel(subscription.id);
});

test("canceled at the end of its period it runs until then; taken back it goes on", async () => {
  const price = await priceOf(1000);
  const [ends, stays] = [await subscribed(price), await subscribed(price)];
  for (const { id } of [ends, stays]) await stripe.subscriptions.update(id, { cancel_at_period_end: true });
  const none = await errorOf(stripe.invoices.createPreview({ subscription: ends.id }));
  expect(none.code).toBe("invoice_upcoming_none");
  await stripe.subscriptions.update(stays.id, { cancel_at_period_end: false });
  expect((await stripe.subscriptions.retrieve(ends.id)).status).toBe("active");
  await advance(periodEnd(ends) - clock.now);
  expect((await stripe.subscriptions.retrieve(ends.id)).status).toBe("canceled");
  expect((await stripe.subscriptions.retrieve(stays.id)).status).toBe("active");
  expect((await stripe.invoices.list({ subscription: ends.id })).data).toHaveLength(1);
  await stripe.subscriptions.cancel(stays.id);
});

test("a trial takes nothing until it ends", async () => {
  const subscription = await subscribed(await priceOf(1000), "pm_card_visa", { trial_period_days: 14 });
  expect(subscription).toMatchObject({ status: "trialing", latest_invoice: { total: 0, status: "paid" } });
  await advance(14 * DAY);
  const begun = await stripe.subscriptions.retrieve(subscription.id, { expand: ["latest_invoice"] });
  expect(begun).toMatchObject({ status: "active", latest_invoice: { amount_paid: 1000 } });
  await stripe.subscriptions.cancel(subscription.id);
});

test("a first payment that is declined leaves it incomplete for 23 hours, or makes nothing", async () => {
  const price = await priceOf(1000);
  const incomplete = await subscribed(price, "pm_card_chargeCustomerFail");
  expect(incomplete).toMatchObject({ status: "incomplete", latest_invoice: { status: "open" } });
  await advance(23 * 3_600_000);
  expect((await stripe.subscriptions.retrieve(incomplete.id)).status).toBe("incomplete_expired");
  const customer = await customerWith("pm_card_chargeCustomerFail");
  const error = await errorOf(
    stripe.subscriptions.create({ customer, items: [{ price }], payment_behavior: "error_if_incomplete" }),
  );
  expect(error).toMatchObject({ statusCode: 402, code: "card_declined" });
  expect((await stripe.subscriptions.list({ customer, status: "all" })).data).toEqual([]);
  const nobody = await stripe.customers.create();
  const nothing = await errorOf(stripe.subscriptions.create({ customer: nobody.id, items: [{ price }] }));
  expect(nothing.code).toBe("resource_missing");
});

test("default_incomplete waits for its holder, who pays with the invoice's client secret", async () => {
  const customer = await stripe.customers.create();
  const subscription = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: await priceOf(1000) }],
    payment_behavior: "default_incomplete",
    payment_settings: { save_default_payment_method: "on_subscription" },
    expand: ["latest_invoice.confirmation_secret"],
  });
  expect(subscription.status).toBe("incomplete");
  const { confirmation_secret: secret } = subscription.latest_invoice as Stripe.Invoice;
  const intent = secret!.client_secret.split("_secret_")[0]!;
  const asked = await stripe.paymentIntents.confirm(intent, {
    payment_method: "pm_card_threeDSecure2Required",
  });
  expect(asked.status).toBe("requires_action");
  sandbox.authenticate(intent, "approve");
  const active = await stripe.subscriptions.retrieve(subscription.id);
  expect(active).toMatchObject({ status: "active", default_payment_method: expect.stringMatching(/^pm_/) });
  await stripe.subscriptions.cancel(subscription.id);
});

test("a renewal that needs its holder says so", async () => {
  const subscription = await subscribed(await priceOf(1000));
  sandbox.changeCard(await methodOf(subscription), { behavesAs: "pm_card_authenticationRequired" });
  await advance(periodEnd(subscription) - clock.now);
  expect(receiver.types()).toContain("invoice.payment_action_required");
  await stripe.subscriptions.cancel(subscription.id);
});

test("canceled at once with prorate and invoice_now, what was not used becomes the customer's balance", async () => {
  const subscription = await subscribed(await priceOf(1000));
  await advance((periodEnd(subscription) - clock.now) / 2);
  await stripe.subscriptions.cancel(subscription.id, { prorate: true, invoice_now: true });
  const customer = await stripe.customers.retrieve(subscription.customer as string);
  expect(customer).toMatchObject({ balance: -500 });
});

test("an open invoice is paid on its page, with 3-D Secure where the card asks for it", async () => {
  const subscription = await subscribed(await priceOf(1000), "pm_card_chargeCustomerFail");
  const { id, hosted_invoice_url: url } = subscription.latest_invoice as Stripe.Invoice;
  const browse = (address: string, form?: Record<string, string>) =>
    fetch(address, {
      headers: { accept: "text/html" },
      redirect: "manual",
      ...(form !== undefined && { method: "POST", body: new URLSearchParams(form) }),
    });
  expect(await (await browse(url!)).text()).toContain("Pay $10.00");
  const declined = await browse(url!, { method: "pm_card_chargeDeclined" });
  expect(await declined.text()).toContain("Your card was declined.");
  const asked = await browse(url!, { method: "pm_card_threeDSecure2Required" });
  const back = await browse(asked.headers.get("location")!, { answer: "approve" });
  expect(back.headers.get("location")).toContain(url!);
  expect((await stripe.invoices.retrieve(id)).status).toBe("paid");
  expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe("active");
  expect(() => sandbox.payInvoice(id)).toThrow("This invoice is paid.");
  await stripe.subscriptions.cancel(subscription.id);
});

test("a checkout in subscription mode begins it with the card that paid", async () => {
  const session = await stripe.checkout.sessions.create({
    mode: "subscription",
    line_items: [{ price: await priceOf(900, "month", "jpy") }],
    customer_email: "ada@sandbox.test",
    subscription_data: { metadata: { plan: "pro" } },
    success_url: "https://shop.test/done",
  });
  expect(sandbox.payCheckout(session.id, { method: "pm_card_chargeDeclined" }).kind).toBe("declined");
  expect(sandbox.payCheckout(session.id, { method: "pm_card_visa" }).kind).toBe("complete");
  const done = await stripe.checkout.sessions.retrieve(session.id, { expand: ["subscription", "invoice"] });
  expect(done).toMatchObject({
    status: "complete",
    payment_status: "paid",
    subscription: { status: "active", metadata: { plan: "pro" }, currency: "jpy" },
    invoice: { status: "paid", amount_paid: 900, billing_reason: "subscription_create" },
  });
  const { id } = done.subscription as Stripe.Subscription;
  await advance(31 * DAY);
  expect((await stripe.invoices.list({ subscription: id })).data).toHaveLength(2);
  await stripe.subscriptions.cancel(id);
});

test("a checkout with a trial saves the card and charges it later", async () => {
  const session = await stripe.checkout.sessions.create({
    mode: "subscription",
    line_items: [{ price: await priceOf(1000) }],
    subscription_data: { trial_period_days: 7 },
    success_url: "https://shop.test/done",
  });
  sandbox.payCheckout(session.id);
  const done = await stripe.checkout.sessions.retrieve(session.id, { expand: ["subscription"] });
  expect(done).toMatchObject({ payment_status: "no_payment_required", subscription: { status: "trialing" } });
  const { id } = done.subscription as Stripe.Subscription;
  await advance(7 * DAY);
  expect((await stripe.subscriptions.retrieve(id)).status).toBe("active");
  await stripe.subscriptions.cancel(id);
});

test("a change that is refused has changed nothing; one that is declined neither", async () => {
  const [small, large] = [await priceOf(1000), await priceOf(3000)];
  const subscription = await subscribed(small);
  const wrong = { metadata: { plan: "pro" }, items: [{ id: "si_nobody", price: large }] };
  expect(await errorOf(stripe.subscriptions.update(subscription.id, wrong))).toMatchObject({
    param: "items[0][id]",
  });
  sandbox.faults.add({ kind: "decline", reason: "insufficient_funds" });
  const items = [{ id: subscription.items.data[0]!.id, price: large }];
  const declined = await errorOf(
    stripe.subscriptions.update(subscription.id, {
      items,
      proration_behavior: "always_invoice",
      payment_behavior: "error_if_incomplete",
    }),
  );
  expect(declined).toMatchObject({ statusCode: 402, decline_code: "insufficient_funds" });
  expect(sandbox.faults.list()).toEqual([]);
  const unchanged = await stripe.subscriptions.retrieve(subscription.id);
  expect(unchanged).toMatchObject({
    metadata: {},
    status: "active",
    items: { data: [{ price: { id: small } }] },
  });
  await stripe.subscriptions.cancel(subscription.id);
});

test("with its customer a subscription ends", async () => {
  const subscription = await subscribed(await priceOf(1000));
  await stripe.customers.del(subscription.customer as string);
  expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe("canceled");
  await advance(40 * DAY);
  expect((await stripe.invoices.list({ subscription: subscription.id })).data).toHaveLength(1);
});
