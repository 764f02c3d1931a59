import { expect, test } from "vitest";
import { errorOf, useSandboxStripe } from "./testing/world.ts";

const { sandbox, stripe, receiver, clock, advance } = await useSandboxStripe();
sandbox.register(receiver.url);

const urls = {
  success_url: "https://shop.test/done?session={CHECKOUT_SESSION_ID}",
  cancel_url: "https://shop.test/cancel",
};

async function packOf(amount: number, options: Record<string, { unit_amount: number }> = {}) {
  const product = await stripe.products.create({ name: "500 credits" });
  return stripe.prices.create({
    product: product.id,
    currency: "usd",
    unit_amount: amount,
    currency_options: options,
  });
}

async function sessionFor(price: string, other: object = {}) {
  return stripe.checkout.sessions.create({
    mode: "payment",
    line_items: [{ price, quantity: 2 }],
    metadata: { purchase: "purchase_1" },
    payment_intent_data: { metadata: { purchase: "purchase_1" } },
    ...urls,
    ...other,
  });
}

/** What a browser does: no script, forms only. */
function browse(url: string, form?: Record<string, string>) {
  const headers = { accept: "text/html" };
  if (form === undefined) return fetch(url, { headers, redirect: "manual" });
  return fetch(url, { method: "POST", headers, redirect: "manual", body: new URLSearchParams(form) });
}

test("a pack is bought on the hosted page, and the events tell it", async () => {
  const session = await sessionFor((await packOf(500)).id, { customer_email: "ada@sandbox.test" });
  expect(session).toMatchObject({
    status: "open",
    payment_status: "unpaid",
    amount_total: 1000,
    currency: "usd",
  });
  const page = await (await browse(session.url!)).text();
  expect(page).toContain("500 credits");
  expect(page).toContain("Pay $10.00");
  receiver.clear();
  const answer = await browse(session.url!, { method: "pm_card_visa" });
  expect(answer.headers.get("location")).toBe(`https://shop.test/done?session=${session.id}`);
  await sandbox.tick();
  expect(receiver.types()).toEqual([
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.succeeded",
    "checkout.session.completed",
  ]);
  const done = await stripe.checkout.sessions.retrieve(session.id, {
    expand: ["payment_intent", "line_items"],
  });
  expect(done).toMatchObject({
    status: "complete",
    payment_status: "paid",
    payment_intent: { status: "succeeded", amount: 1000, metadata: { purchase: "purchase_1" } },
    line_items: { data: [{ description: "500 credits", quantity: 2, amount_total: 1000 }] },
  });
  expect((await stripe.checkout.sessions.listLineItems(session.id)).data).toHaveLength(1);
});

test("a declined card leaves the checkout open for another", async () => {
  const session = await sessionFor((await packOf(500)).id);
  const declined = await browse(session.url!, { method: "pm_card_chargeDeclinedInsufficientFunds" });
  expect(declined.status).toBe(200);
  expect(await declined.text()).toContain("Your card has insufficient funds.");
  expect((await browse(session.url!, { method: "pm_card_visa" })).status).toBe(303);
  const done = await stripe.checkout.sessions.retrieve(session.id);
  expect(done.payment_status).toBe("paid");
});

test("3-D Secure leads to a page of the bank and back; a no shows on the page of the checkout", async () => {
  const session = await sessionFor((await packOf(500)).id);
  const asked = await browse(session.url!, { method: "pm_card_threeDSecure2Required" });
  const bank = asked.headers.get("location")!;
  expect(await (await browse(bank)).text()).toContain("Is it you?");
  const denied = await browse(bank, { answer: "deny" });
  const back = await browse(denied.headers.get("location")!);
  expect(await back.text()).toContain("failed authentication");
  await browse(session.url!, { method: "pm_card_threeDSecure2Required" });
  const approved = await browse(bank, { answer: "approve" });
  const done = await browse(approved.headers.get("location")!);
  expect(done.headers.get("location")).toContain("https://shop.test/done");
});

test("a payment under way completes the checkout unpaid, and pays it or fails later", async () => {
  const { id: price } = await packOf(500);
  const [good, bad] = [await sessionFor(price), await sessionFor(price)];
  sandbox.payCheckout(good.id, { method: "pm_usBankAccount_success" });
  sandbox.payCheckout(bad.id, { method: "pm_usBankAccount_insufficientFunds" });
  expect(await stripe.checkout.sessions.retrieve(good.id)).toMatchObject({
    status: "complete",
    payment_status: "unpaid",
  });
  await sandbox.tick();
  receiver.clear();
  await advance(5 * 60_000);
  expect(receiver.types()).toContain("checkout.session.async_payment_succeeded");
  expect(receiver.types()).toContain("checkout.session.async_payment_failed");
  expect((await stripe.checkout.sessions.retrieve(good.id)).payment_status).toBe("paid");
  expect((await stripe.checkout.sessions.retrieve(bad.id)).payment_status).toBe("unpaid");
});

test("a saved card of a checkout with setup_future_usage pays off-session afterwards", async () => {
  const customer = await stripe.customers.create();
  const session = await sessionFor((await packOf(500)).id, {
    customer: customer.id,
    payment_intent_data: { setup_future_usage: "off_session" },
  });
  sandbox.payCheckout(session.id, { method: "pm_card_authenticationRequiredOnSetup" });
  const open = await stripe.paymentIntents.list({ customer: customer.id });
  sandbox.authenticate(open.data[0]!.id, "approve");
  const [saved] = (await stripe.paymentMethods.list({ customer: customer.id })).data;
  const again = await stripe.paymentIntents.create({
    amount: 500,
    currency: "usd",
    customer: customer.id,
    payment_method: saved!.id,
    off_session: true,
    confirm: true,
  });
  expect(again.status).toBe("succeeded");
});

test("a price is paid in each of its currencies and refused in others", async () => {
  const price = await packOf(500, { eur: { unit_amount: 450 }, jpy: { unit_amount: 800 } });
  const yen = await sessionFor(price.id, { currency: "jpy" });
  expect(yen).toMatchObject({ currency: "jpy", amount_total: 1600 });
  const told = await stripe.prices.retrieve(price.id, { expand: ["currency_options"] });
  expect(told.currency_options).toMatchObject({ eur: { unit_amount: 450 }, jpy: { unit_amount: 800 } });
  expect((await errorOf(sessionFor(price.id, { currency: "gbp" }))).param).toBe("currency");
});

test("a checkout ends when it is told to, or after a day", async () => {
  const { id: price } = await packOf(500);
  const told = await sessionFor(price);
  expect((await stripe.checkout.sessions.expire(told.id)).status).toBe("expired");
  const forgotten = await sessionFor(price);
  await advance(86_400_000);
  expect(await stripe.checkout.sessions.retrieve(forgotten.id)).toMatchObject({
    status: "expired",
    url: null,
  });
  expect(await (await browse(forgotten.url!)).text()).toContain("expired");
  expect(receiver.types()).toContain("checkout.session.expired");
});

test("a checkout in setup mode saves a card and takes no money", async () => {
  const customer = await stripe.customers.create();
  const session = await stripe.checkout.sessions.create({
    mode: "setup",
    currency: "usd",
    customer: customer.id,
    ...urls,
  });
  expect(sandbox.payCheckout(session.id, { method: "pm_card_chargeDeclined" }).kind).toBe("declined");
  expect(sandbox.payCheckout(session.id, { method: "pm_card_mastercard" }).kind).toBe("complete");
  const done = await stripe.checkout.sessions.retrieve(session.id, {
    expand: ["setup_intent.payment_method"],
  });
  expect(done).toMatchObject({
    status: "complete",
    payment_status: "no_payment_required",
    setup_intent: {
      status: "succeeded",
      payment_method: { customer: customer.id, card: { brand: "mastercard" } },
    },
  });
});

test("a SetupIntent whose holder approves lets the card pay without them", async () => {
  const customer = await stripe.customers.create();
  const setup = await stripe.setupIntents.create({
    customer: customer.id,
    payment_method: "pm_card_authenticationRequiredOnSetup",
    confirm: true,
    return_url: "https://shop.test/back",
  });
  expect(setup).toMatchObject({ status: "requires_action", next_action: { type: "redirect_to_url" } });
  const answer = await browse(setup.next_action!.redirect_to_url!.url!, { answer: "approve" });
  expect(answer.headers.get("location")).toContain(`setup_intent=${setup.id}`);
  const done = await stripe.setupIntents.retrieve(setup.id);
  expect(done.status).toBe("succeeded");
  const paid = await stripe.paymentIntents.create({
    amount: 700,
    currency: "eur",
    customer: customer.id,
    payment_method: done.payment_method as string,
    off_session: true,
    confirm: true,
  });
  expect(paid.status).toBe("succeeded");
  const twice = await errorOf(stripe.setupIntents.cancel(setup.id));
  expect(twice.code).toBe("setup_intent_unexpected_state");
});

test("a declined SetupIntent says why", async () => {
  const error = await errorOf(
    stripe.setupIntents.create({ payment_method: "pm_card_chargeDeclinedExpiredCard", confirm: true }),
  );
  expect(error).toMatchObject({ statusCode: 402, code: "expired_card" });
  expect(error.setup_intent).toMatchObject({ status: "requires_payment_method" });
});

test.each([
  [{ mode: "payment", success_url: "https://shop.test" }, "line_items"],
  [{ mode: "payment", success_url: "nowhere", line_items: [] }, "success_url"],
  [
    { mode: "setup", success_url: "https://shop.test", payment_intent_data: { description: "x" } },
    "payment_intent_data",
  ],
  [{ mode: "gift", success_url: "https://shop.test" }, "mode"],
])("what contradicts itself is refused by name: %j", async (params, param) => {
  expect(await errorOf(stripe.checkout.sessions.create(params as never))).toMatchObject({
    statusCode: 400,
    param,
  });
  expect(clock.now).toBeGreaterThan(0);
});
