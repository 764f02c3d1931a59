import { startSandboxStripe } from "@bursar/sandbox/stripe";
import { stripeOf } from "@bursar/stripe/client";
import { afterAll, expect, test } from "vitest";
import { openStripeApi } from "../../cli/src/stripe/api.ts";
import { TRIGGERS } from "../../cli/src/stripe/triggers.ts";
import { EVENT_HANDLERS } from "../src/payments/handlers.ts";

const clock = { milliseconds: Date.UTC(2027, 0, 31, 12) };
const sandbox = await startSandboxStripe({ now: () => clock.milliseconds });
afterAll(() => sandbox.close());
const { url, secretKey, webhookSecret } = sandbox;
const stripe = openStripeApi({ url, key: secretKey, isSandbox: true });
const sdk = stripeOf({ secretKey, webhookSecret, url });

test.each(Object.keys(EVENT_HANDLERS))("bursar trigger makes %s happen", async (type) => {
  const { happen, isLater } = TRIGGERS[type]!;
  const happened = async () => (await sdk.events.list({ type, limit: 100 })).data.length;
  const before = await happened();
  expect(await happen(stripe)).toMatch(/^(pi|re|dp|cs_test|cus|pm|seti|sub|in)_\w+$/);
  await stripe.settle();
  expect((await happened()) > before).toBe(isLater !== true);
  clock.milliseconds += 5 * 60_000;
  await stripe.settle();
  expect(await happened()).toBeGreaterThan(before);
});

test("what only people and banks can do is not asked of Stripe itself", async () => {
  const real = openStripeApi({ url, key: secretKey, isSandbox: false });
  await expect(TRIGGERS["checkout.session.completed"]!.happen(real)).rejects.toThrow(/only people and banks/);
});
