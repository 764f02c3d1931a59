import type { AccountId, PaymentId } from "@bursar/contract/ids";
import { addSeconds } from "@bursar/contract/instant";
import { stripeOf } from "@bursar/stripe/client";
import { openStripe } from "@bursar/stripe/open";
import { afterAll, expect, test } from "vitest";
import { startSandboxWorld } from "./sandbox-world.ts";

const world = await startSandboxWorld();
const { secretKey, webhookSecret, url } = world.stripe;
const stripe = stripeOf({ secretKey, webhookSecret, url });
afterAll(() => world.close());

test("who moves the clock finds the sandbox's payments settled", async () => {
  const { id, status } = await stripe.paymentIntents.create({
    amount: 500,
    currency: "usd",
    payment_method: "pm_usBankAccount_success",
    confirm: true,
    off_session: true,
  });
  expect(status).toBe("processing");
  const moved = await world.call(world.adminKey, "POST", "/sandbox/clock", { advance: "1h" });
  expect(moved.body).toMatchObject({ settled: true });
  expect((await stripe.paymentIntents.retrieve(id)).status).toBe("succeeded");
});

test("a payment is found by whoever's clock is half an hour ahead of Stripe's", async () => {
  const now = () => Math.floor(world.clock.now() / 1000);
  const payments = openStripe({ secretKey, webhookSecret, url, now });
  const customerId = await payments.createCustomer({
    accountId: "acct_ahead" as AccountId,
    name: "Ahead",
    creationId: "creation_ahead",
  });
  const metadata = { bursar_payment: "pay_ahead" };
  const made = await stripe.paymentIntents.create({
    amount: 500,
    currency: "usd",
    customer: customerId,
    metadata,
  });
  const since = addSeconds(world.clock.now(), 1800);
  const found = await payments.findIntent({ customerId, paymentId: "pay_ahead" as PaymentId, since });
  expect(found?.intentId).toBe(made.id);
});
