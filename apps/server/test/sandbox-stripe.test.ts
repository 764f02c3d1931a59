import { stripeOf } from "@bursar/stripe/client";
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
