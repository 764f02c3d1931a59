import { expect, test } from "vitest";
import { errorOf, useSandboxStripe } from "./testing/world.ts";

const { sandbox, stripe, open, clock, receiver, advance } = await useSandboxStripe();

async function customerWith(token: string) {
  const customer = await stripe.customers.create({ email: "ada@sandbox.test" });
  const method = await stripe.paymentMethods.attach(token, { customer: customer.id });
  return { customer: customer.id, method: method.id };
}

const offSession = (customer: string, method: string, amount = 2000) =>
  ({
    amount,
    currency: "usd",
    customer,
    payment_method: method,
    off_session: true,
    confirm: true,
    metadata: { attempt: "topup_1" },
  }) as const;

test("a saved card pays off-session, at once, with a charge and its balance transaction", async () => {
  const { customer, method } = await customerWith("pm_card_visa");
  const intent = await stripe.paymentIntents.create({
    ...offSession(customer, method),
    expand: ["latest_charge.balance_transaction", "customer", "payment_method"],
  });
  expect(intent).toMatchObject({
    status: "succeeded",
    amount_received: 2000,
    metadata: { attempt: "topup_1" },
    customer: { id: customer, email: "ada@sandbox.test" },
    payment_method: { id: method, card: { brand: "visa", last4: "4242" } },
    latest_charge: { paid: true, amount_captured: 2000, balance_transaction: { fee: 88, net: 1912 } },
  });
});

test("yen have no minor unit: the smallest charge is 50", async () => {
  const { customer, method } = await customerWith("pm_card_jcb");
  const yen = { ...offSession(customer, method), currency: "jpy" };
  expect(await stripe.paymentIntents.create({ ...yen, amount: 50 })).toMatchObject({ status: "succeeded" });
  const error = await errorOf(stripe.paymentIntents.create({ ...yen, amount: 49 }));
  expect(error).toMatchObject({ code: "amount_too_small", param: "amount", statusCode: 400 });
  expect(error.message).toBe("Amount must be at least ¥50 jpy");
});

test.each([
  ["pm_card_chargeDeclined", "card_declined", "generic_decline"],
  ["pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"],
  ["pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"],
])("%s is declined, when it pays and when it is saved", async (token, code, declineCode) => {
  const pay = stripe.paymentIntents.create({
    amount: 500,
    currency: "eur",
    payment_method: token,
    confirm: true,
    return_url: "https://shop.test/back",
  });
  const error = await errorOf(pay);
  expect(error).toMatchObject({ type: "StripeCardError", statusCode: 402, code, decline_code: declineCode });
  expect(error.payment_intent).toMatchObject({
    status: "requires_payment_method",
    payment_method: null,
    last_payment_error: {
      code,
      decline_code: declineCode,
      payment_method: { card: { last4: expect.any(String) } },
    },
  });
  const customer = await stripe.customers.create();
  const attaching = await errorOf(stripe.paymentMethods.attach(token, { customer: customer.id }));
  expect(attaching).toMatchObject({ statusCode: 402, code, decline_code: declineCode });
});

test("0341 can be saved, and then never pays", async () => {
  const { customer, method } = await customerWith("pm_card_chargeCustomerFail");
  const error = await errorOf(stripe.paymentIntents.create(offSession(customer, method)));
  expect(error).toMatchObject({ code: "card_declined", decline_code: "generic_decline" });
  const intent = await stripe.paymentIntents.retrieve(error.payment_intent!.id);
  const charges = await stripe.charges.list({ payment_intent: intent.id });
  expect(charges.data).toMatchObject([
    { status: "failed", failure_code: "card_declined", id: intent.latest_charge },
  ]);
});

test("3-D Secure declines off-session; confirmed again with its holder there, it pays", async () => {
  const { customer, method } = await customerWith("pm_card_authenticationRequired");
  const error = await errorOf(stripe.paymentIntents.create(offSession(customer, method)));
  expect(error).toMatchObject({ code: "authentication_required", statusCode: 402 });
  const id = error.payment_intent!.id;
  const back = "https://shop.test/back";
  const asked = await stripe.paymentIntents.confirm(id, { payment_method: method, return_url: back });
  expect(asked).toMatchObject({
    status: "requires_action",
    next_action: { type: "redirect_to_url", redirect_to_url: { return_url: back } },
  });
  sandbox.authenticate(id, "deny");
  expect(await stripe.paymentIntents.retrieve(id)).toMatchObject({
    status: "requires_payment_method",
    last_payment_error: { code: "payment_intent_authentication_failure" },
  });
  await stripe.paymentIntents.confirm(id, { payment_method: method, return_url: back });
  sandbox.authenticate(id, "approve");
  expect(await stripe.paymentIntents.retrieve(id)).toMatchObject({
    status: "succeeded",
    amount_received: 2000,
  });
});

test("what is under way has its outcome minutes later by the moving clock", async () => {
  const good = await customerWith("pm_usBankAccount_success");
  const bad = await customerWith("pm_sandbox_processingFail");
  const first = await stripe.paymentIntents.create(offSession(good.customer, good.method));
  const second = await stripe.paymentIntents.create(offSession(bad.customer, bad.method));
  expect([first.status, second.status]).toEqual(["processing", "processing"]);
  await advance(2 * 60_000);
  expect((await stripe.paymentIntents.retrieve(first.id)).status).toBe("processing");
  await advance(60_000);
  expect((await stripe.paymentIntents.retrieve(first.id)).status).toBe("succeeded");
  expect(await stripe.paymentIntents.retrieve(second.id)).toMatchObject({
    status: "requires_payment_method",
    last_payment_error: { decline_code: "insufficient_funds" },
  });
});

test("a card pays to the end of its month and not after", async () => {
  const { customer, method } = await customerWith("pm_card_visa");
  const today = new Date(clock.now);
  sandbox.changeCard(method, { expires: { month: today.getUTCMonth() + 1, year: today.getUTCFullYear() } });
  expect((await stripe.paymentIntents.create(offSession(customer, method))).status).toBe("succeeded");
  await advance(Date.UTC(today.getUTCFullYear(), today.getUTCMonth() + 1, 1) - clock.now);
  const error = await errorOf(stripe.paymentIntents.create(offSession(customer, method)));
  expect(error).toMatchObject({ code: "expired_card" });
});

test("only its customer pays with a card, and a detached card pays never again", async () => {
  const ada = await customerWith("pm_card_visa");
  const bob = await customerWith("pm_card_mastercard");
  const theirs = await errorOf(stripe.paymentIntents.create(offSession(bob.customer, ada.method)));
  expect(theirs).toMatchObject({ statusCode: 400, param: "payment_method" });
  await stripe.customers.update(ada.customer, { invoice_settings: { default_payment_method: ada.method } });
  await stripe.paymentMethods.detach(ada.method);
  const customer = await stripe.customers.retrieve(ada.customer);
  expect(customer).toMatchObject({ invoice_settings: { default_payment_method: null } });
  const gone = await errorOf(stripe.paymentIntents.create(offSession(ada.customer, ada.method)));
  expect(gone.message).toContain("may not be used again");
});

test("a deleted customer keeps its id and nothing else", async () => {
  const { customer, method } = await customerWith("pm_card_visa");
  await stripe.customers.del(customer);
  expect(await stripe.customers.retrieve(customer)).toEqual({
    id: customer,
    object: "customer",
    deleted: true,
  });
  const error = await errorOf(stripe.paymentIntents.create(offSession(customer, method)));
  expect(error).toMatchObject({ code: "resource_missing", param: "customer" });
});

test("a decline that was asked for comes once, whatever the card", async () => {
  const { customer, method } = await customerWith("pm_card_visa");
  sandbox.faults.add({ kind: "decline", reason: "insufficient_funds" });
  const error = await errorOf(stripe.paymentIntents.create(offSession(customer, method)));
  expect(error).toMatchObject({ decline_code: "insufficient_funds" });
  expect((await stripe.paymentIntents.create(offSession(customer, method))).status).toBe("succeeded");
});

test("after a time-out the charge has happened, and the same key tells of it", async () => {
  const { customer, method } = await customerWith("pm_card_visa");
  sandbox.faults.add({ kind: "timeout", on: "POST /v1/payment_intents" });
  const hasty = open({ timeout: 300 });
  const idempotencyKey = "attempt_1";
  const error = await errorOf(hasty.paymentIntents.create(offSession(customer, method), { idempotencyKey }));
  expect(error.type).toBe("StripeConnectionError");
  const again = await stripe.paymentIntents.create(offSession(customer, method), { idempotencyKey });
  expect(again.lastResponse.headers["idempotent-replayed"]).toBe("true");
  const all = await stripe.paymentIntents.list({ customer });
  expect(all.data).toMatchObject([{ id: again.id, status: "succeeded" }]);
});

test("a time-out before the charge leaves nothing behind", async () => {
  const { customer, method } = await customerWith("pm_card_visa");
  sandbox.faults.add({ kind: "timeout", when: "before", on: "POST /v1/payment_intents" });
  const hasty = open({ timeout: 300 });
  const idempotencyKey = "attempt_2";
  await errorOf(hasty.paymentIntents.create(offSession(customer, method), { idempotencyKey }));
  expect((await stripe.paymentIntents.list({ customer })).data).toEqual([]);
});

test("every payment tells its story by events, in order, signed", async () => {
  const { customer, method } = await customerWith("pm_card_visa");
  await sandbox.tick();
  sandbox.register(receiver.url);
  receiver.clear();
  const intent = await stripe.paymentIntents.create(offSession(customer, method));
  await sandbox.tick();
  expect(receiver.types()).toEqual([
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.succeeded",
  ]);
  const { raw, signature } = receiver.received[2]!;
  const event = stripe.webhooks.constructEvent(
    raw,
    signature,
    sandbox.webhookSecret,
    300,
    undefined,
    clock.now,
  );
  expect(event).toMatchObject({ api_version: "2026-10-28.endive", data: { object: { id: intent.id } } });
  expect((await stripe.events.retrieve(event.id)).data.object).toMatchObject({
    id: intent.id,
    status: "succeeded",
  });
});
