import { expect, test } from "vitest";
import { errorOf, useSandboxStripe } from "./testing/world.ts";

const { sandbox, stripe, open, clock } = await useSandboxStripe();

test("a wrong key is 401, and another API version is refused", async () => {
  expect(await errorOf(open({}, "sk_test_wrong").customers.list())).toMatchObject({
    type: "StripeAuthenticationError",
    statusCode: 401,
  });
  const response = await fetch(`${sandbox.url}/v1/customers`, {
    headers: { authorization: `Bearer ${sandbox.secretKey}`, "stripe-version": "2020-08-27" },
  });
  expect(response.status).toBe(400);
});

test("unknown, missing and malformed parameters are refused by name", async () => {
  const asked = { amount: "ten", currency: "usd" } as never;
  expect(await errorOf(stripe.paymentIntents.create(asked))).toMatchObject({
    code: "parameter_invalid_integer",
    param: "amount",
    message: "Invalid integer: ten",
  });
  expect(await errorOf(stripe.paymentIntents.create({ amount: 100 } as never))).toMatchObject({
    code: "parameter_missing",
    param: "currency",
  });
  const unknown = { invoice_settings: { colour: "red" } } as never;
  expect(await errorOf(stripe.customers.create(unknown))).toMatchObject({
    code: "parameter_unknown",
    message: "Received unknown parameter: invoice_settings[colour]",
  });
  expect(await errorOf(stripe.paymentIntents.create({ amount: 100, currency: "xyz" }))).toMatchObject({
    param: "currency",
  });
  expect(await errorOf(stripe.customers.retrieve("cus_nobody"))).toMatchObject({
    statusCode: 404,
    code: "resource_missing",
  });
});

test("a key answers the same again, refuses other parameters, and is forgotten after a day", async () => {
  const idempotencyKey = "key_1";
  const first = await stripe.customers.create({ email: "a@sandbox.test" }, { idempotencyKey });
  const again = await stripe.customers.create({ email: "a@sandbox.test" }, { idempotencyKey });
  expect(again.id).toBe(first.id);
  expect(again.lastResponse.headers).toMatchObject({
    "idempotent-replayed": "true",
    "original-request": first.lastResponse.requestId,
  });
  const other = await errorOf(stripe.customers.create({ email: "b@sandbox.test" }, { idempotencyKey }));
  expect(other).toMatchObject({ type: "StripeIdempotencyError", statusCode: 400 });
  clock.now += 86_400_001;
  const later = await stripe.customers.create({ email: "a@sandbox.test" }, { idempotencyKey });
  expect(later.id).not.toBe(first.id);
});

test("a decline is replayed under its key; what was never valid is not kept", async () => {
  const idempotencyKey = "key_2";
  const asked = { amount: 100, currency: "usd", confirm: true, return_url: "https://shop.test" } as const;
  const declined = { ...asked, payment_method: "pm_card_chargeDeclined" };
  const first = await errorOf(stripe.paymentIntents.create(declined, { idempotencyKey }));
  const again = await errorOf(stripe.paymentIntents.create(declined, { idempotencyKey }));
  expect(again.payment_intent!.id).toBe(first.payment_intent!.id);
  const invalid = { ...asked, amount: "x" } as never;
  await errorOf(stripe.paymentIntents.create(invalid, { idempotencyKey: "key_3" }));
  const valid = await stripe.paymentIntents.create(
    { amount: 100, currency: "usd" },
    { idempotencyKey: "key_3" },
  );
  expect(valid.status).toBe("requires_payment_method");
});

test("a key whose request is under way is refused with 409", async () => {
  const idempotencyKey = "key_4";
  sandbox.faults.add({ kind: "delay", on: "POST /v1/customers", milliseconds: 1000 });
  const first = stripe.customers.create({}, { idempotencyKey });
  const second = async (): Promise<number | undefined> => {
    const error = await errorOf(stripe.customers.create({}, { idempotencyKey }));
    return error.statusCode;
  };
  // The first has arrived when the fault is used up.
  await expect.poll(() => sandbox.faults.list(), { interval: 5 }).toEqual([]);
  expect(await second()).toBe(409);
  expect(await stripe.customers.create({}, { idempotencyKey: "key_5" })).toMatchObject({
    object: "customer",
  });
  await first;
});

test("500 after the work: a saved one is replayed, another tells the truth at the next try", async () => {
  const on = "POST /v1/customers";
  sandbox.faults.add({ kind: "server_error", on, saved: true });
  const saved = { idempotencyKey: "key_6" };
  expect(await errorOf(stripe.customers.create({}, saved))).toMatchObject({ statusCode: 500 });
  expect(await errorOf(stripe.customers.create({}, saved))).toMatchObject({ statusCode: 500 });
  sandbox.faults.add({ kind: "server_error", on });
  const honest = { idempotencyKey: "key_7" };
  expect(await errorOf(stripe.customers.create({ name: "Seven" }, honest))).toMatchObject({
    statusCode: 500,
  });
  const told = await stripe.customers.create({ name: "Seven" }, honest);
  const named = await stripe.customers.list({ limit: 100 });
  expect(named.data.filter(({ name }) => name === "Seven")).toMatchObject([{ id: told.id }]);
});

test("a cut connection is retried by the SDK with the same key, and one object is made", async () => {
  sandbox.faults.add({ kind: "cut", on: "POST /v1/customers" });
  await open({ maxNetworkRetries: 2 }).customers.create({ name: "Cut" });
  const named = await stripe.customers.list({ limit: 100 });
  expect(named.data.filter(({ name }) => name === "Cut")).toHaveLength(1);
});

test("lists go newest first, a page at a time, and the SDK walks them all", async () => {
  const { id } = await stripe.customers.create({ name: "Lister" });
  for (const token of ["pm_card_visa", "pm_card_mastercard", "pm_card_amex"]) {
    await stripe.paymentMethods.attach(token, { customer: id });
  }
  const first = await stripe.paymentMethods.list({ customer: id, limit: 2 });
  expect(first).toMatchObject({
    has_more: true,
    data: [{ card: { brand: "amex" } }, { card: { brand: "mastercard" } }],
  });
  const all = await stripe.paymentMethods.list({ customer: id, limit: 1 }).autoPagingToArray({ limit: 10 });
  expect(all.map(({ card }) => card?.brand)).toEqual(["amex", "mastercard", "visa"]);
});

test("what cannot be expanded is refused", async () => {
  const { id } = await stripe.customers.create({ email: "ada@sandbox.test" });
  const error = await errorOf(stripe.customers.retrieve(id, { expand: ["email.domain"] }));
  expect(error.message).toBe("This property cannot be expanded (email).");
});

test("what is refused has left nothing behind", async () => {
  const { id } = await stripe.customers.create();
  const asked = { amount: 100, currency: "usd", customer: id, confirm: true } as const;
  expect(
    await errorOf(stripe.paymentIntents.create({ ...asked, payment_method: "pm_card_visa" })),
  ).toMatchObject({
    param: "return_url",
  });
  await errorOf(stripe.paymentIntents.create({ ...asked, return_url: "https://shop.test" }));
  expect((await stripe.paymentIntents.list({ customer: id })).data).toEqual([]);
  const nobody = { payment_method: "pm_card_chargeDeclined", email: "nobody@sandbox.test" };
  await errorOf(stripe.customers.create(nobody));
  expect((await stripe.customers.list({ email: nobody.email })).data).toEqual([]);
});
