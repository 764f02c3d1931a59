import { expect, test } from "vitest";
import { openSchemas, schemasMissing } from "./testing/schemas.ts";
import { errorOf, useSandboxStripe } from "./testing/world.ts";

/** Stripe's spec at hand is of 2023; these came or went since. */
const CHANGED: readonly RegExp[] = [];

const { stripe, sandbox } = await useSandboxStripe();
if (schemasMissing !== null) process.stdout.write(`skipped: ${schemasMissing}\n`);

test.skipIf(schemasMissing !== null)("every object fits Stripe's published schema", async () => {
  const check = openSchemas(CHANGED);
  const customer = await stripe.customers.create({
    email: "ada@sandbox.test",
    payment_method: "pm_card_visa",
  });
  const [method] = (await stripe.customers.listPaymentMethods(customer.id)).data;
  const paid = await stripe.paymentIntents.create({
    amount: 500,
    currency: "jpy",
    customer: customer.id,
    payment_method: method!.id,
    off_session: true,
    confirm: true,
  });
  const asked = await stripe.paymentIntents.create({
    amount: 500,
    currency: "usd",
    payment_method: "pm_card_threeDSecure2Required",
    confirm: true,
    return_url: "https://shop.test/back",
  });
  const bank = await stripe.paymentMethods.create({
    type: "us_bank_account",
    us_bank_account: { account_number: "000123456789", routing_number: "110000000" },
  });
  const declined = await errorOf(
    stripe.paymentIntents.create({
      amount: 500,
      currency: "usd",
      payment_method: "pm_card_chargeDeclined",
      confirm: true,
      return_url: "https://shop.test/back",
    }),
  );
  const objects = [
    customer,
    method!,
    bank,
    paid,
    asked,
    declined.payment_intent!,
    await stripe.paymentIntents.retrieve(declined.payment_intent!.id),
    ...(await stripe.charges.list()).data,
    ...(await stripe.balanceTransactions.list()).data,
    ...(await stripe.events.list()).data,
    sandbox.register("https://shop.test/webhook"),
  ];
  // The check itself is sharp.
  expect(check({ ...paid, amount: "500" })).not.toEqual([]);
  expect(check({ ...method!, card: { ...method!.card, brand: 4 } })).not.toEqual([]);
  const wrong = objects.flatMap((object) => check(object).map((line) => `${object.object}: ${line}`));
  expect([...new Set(wrong)]).toEqual([]);
});
