import type { PriceBookInput } from "@bursar/contract/operations/prices";
import { restoreSubscription } from "@bursar/engine/subscription/restore";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type PayingWorld, SELLING, startPayingWorld } from "./paying-world.ts";

/* A database that was restored from a backup knows nothing of what came after it. Here: one that is empty but for the
 * account, beside a Stripe that knows everything. */

let before: PayingWorld;
let restored: PayingWorld;
beforeAll(async () => {
  before = await startPayingWorld();
});
afterAll(async () => {
  await restored?.close();
  await before.close();
});

it("what was bought since the backup comes again from the provider, once, with the saved card", async () => {
  const account = await before.account("0");
  const buy = (id: string, body: object = {}) =>
    account.post("/v1/purchases", { id, pack: "credits-1000", currency: "eur", ...body });
  await buy("order-1");
  const page = await buy("order-2", { paymentMethod: "checkout" });
  before.stripe.payCheckout(/cs_test_\w+/.exec(page.body.url)![0], { method: "pm_card_visa" });
  await before.settle();
  await before.admin("POST", "/v1/payments/order-1/refund", {
    ...{ accountId: account.id, id: "back", amount: 50, reason: "test" },
  });
  await account.policy({ target: "3000", threshold: "2000" });
  await before.advance(60);
  expect(await account.available()).toBe("3000");
  const stranger = await before.account("0");
  await stranger.post("/v1/purchases", { id: "order-3", pack: "credits-1000", currency: "eur" });
  const charged = (await account.intents()).length;
  const methods = (await account.get("/v1/payment-methods")).body;

  restored = await startPayingWorld({ beside: before });
  const same = await restored.account("0", null);
  expect(same.id).toBe(account.id);
  // The backup has the customer and the policy, and a balance that asks for a top-up.
  await copyCustomer(account.id);
  await same.policy({ target: "3000", threshold: "2000" });
  // As where very many are read at once.
  restored.stripe.faults.add({ kind: "rate_limit", on: "GET /v1/payment_intents/*", times: 1000 });
  await restored.settle();
  expect((await account.intents()).length).toBe(charged);
  restored.stripe.faults.clear();
  await restored.advance(31);
  expect(await same.available()).toBe("3000");
  const { payments } = (await same.get("/v1/payments")).body;
  expect(
    payments.map(({ kind, state, refunded }: Record<string, unknown>) => [kind, state, refunded]).sort(),
  ).toEqual([
    ["purchase", "confirmed", 0],
    ["purchase", "confirmed", 50],
    ["topup", "confirmed", 0],
  ]);
  expect((await same.get("/v1/payment-methods")).body).toEqual(methods);
  // By that day the receipt is dated, and the days for giving credits back are counted.
  expect(await chargedAt(restored, account.id)).toEqual(await chargedAt(before, account.id));

  await restored.admin("POST", `/v1/events/${(await eventOf("payment_intent.succeeded"))!}/resend`);
  await same.post("/v1/purchases", { id: "order-1", pack: "credits-1000", currency: "eur" });
  await restored.advance(3600);
  expect(await same.available()).toBe("3000");
  expect((await account.intents()).length).toBe(charged);
  await restored.verify();

  // Whoever came after the backup is not here, and nobody else is given what they paid for.
  const { rowCount } = await restored.engine.pool.query("select from payments where payment_id = 'order-3'");
  expect(rowCount).toBe(0);
  const back = await restored.account("0", null);
  expect(back.id).toBe(stranger.id);
  const event = (await restored.sdk.events.list({ type: "payment_intent.succeeded", limit: 1 })).data[0]!;
  await restored.admin("POST", `/v1/events/${event.id}/resend`);
  await restored.settle();
  expect(await back.available()).toBe("1000");
});

it("events that nobody may read hold top-ups back for ten minutes, and not for ever", async () => {
  await using world = await startOwnWorld();
  const account = await world.account("0");
  await account.policy({ target: "3000", threshold: "2000" });
  world.stripe.faults.add({ kind: "rate_limit", on: "GET /v1/events", times: 1000 });
  await expect(world.settle()).rejects.toThrow("the payment provider");
  expect(await account.available()).toBe("0");
  await expect(world.advance(600)).rejects.toThrow("the payment provider");
  expect(await account.available()).toBe("3000");
});

it("a payment that does not say how many credits it bought is parked until somebody says so at the provider", async () => {
  const account = await restored.account("0");
  const { rows } = await restored.engine.pool.query<{ customer: string }>(
    "select customer_id as customer from payment_customers where account_id = $1",
    [account.id],
  );
  const intent = await restored.sdk.paymentIntents.create({
    ...{ amount: 200, currency: "eur", customer: rows[0]!.customer, payment_method: account.methodId },
    ...{ confirm: true, off_session: true },
    metadata: { bursar_account: account.id, bursar_payment: "order-old" },
  });
  for (let pass = 0; pass < 8; pass++) await restored.advance(300);
  const { events } = (await restored.admin("GET", "/v1/events?state=parked")).body;
  expect(events.map(({ type }: { type: string }) => type).sort()).toEqual([
    "charge.succeeded",
    "payment_intent.succeeded",
  ]);
  expect(events[0].lastError).toContain(`bursar_credits in the metadata of ${intent.id}`);
  await restored.sdk.paymentIntents.update(intent.id, { metadata: { bursar_credits: "1000" } });
  for (const { id } of events) await restored.admin("POST", `/v1/events/${id}/resend`);
  await restored.settle();
  expect(await account.available()).toBe("1000");
  expect((await restored.admin("GET", "/v1/events?state=parked")).body.events).toEqual([]);
});

it("what somebody has written on a refund at the provider gives the payment's credits no second time", async () => {
  const account = await restored.account("0");
  await account.post("/v1/purchases", { id: "order-4", pack: "credits-1000", currency: "eur" });
  await restored.settle();
  const [intent] = await restored.intentsOf(account.id);
  await restored.sdk.refunds.create({
    ...{ payment_intent: intent!.id, amount: 100 },
    metadata: { bursar_account: account.id, bursar_payment: "order 4" },
  });
  await restored.settle();
  expect(await account.available()).toBe("500");
  // No name at all, which the account's books could not hold.
  await restored.sdk.paymentIntents.create({
    ...{ amount: 200, currency: "eur", customer: intent!.customer as string },
    ...{ payment_method: account.methodId, confirm: true, off_session: true },
    metadata: { bursar_account: account.id, bursar_payment: "order 5", bursar_credits: "1000" },
  });
  await restored.settle();
  expect(await account.available()).toBe("500");
});

it("a plan that was begun since the backup is known again, gives its credits once, and renews", async () => {
  await before.engine.prices.put({ body: WITH_PLAN, by: "test" });
  await restored.engine.prices.put({ body: WITH_PLAN, by: "test" });
  const same = await restored.account("0", null);
  const account = await accountLike(same);
  await account.post("/v1/subscription", { id: "plan-1", plan: "monthly", currency: "eur" });
  await before.settle();
  expect(await account.available()).toBe("700");
  await restored.advance(3600);
  expect(await same.available()).toBe("700");
  const { subscription } = (await same.get("/v1/subscription")).body;
  expect(subscription).toMatchObject({ id: "plan-1", state: "active", plan: { id: "monthly" } });
  await restored.advance(32 * 86_400);
  expect(await same.available()).toBe("700");
  expect((await same.get("/v1/invoices")).body.invoices).toHaveLength(2);
  await restored.verify();
});

it("a plan whose process dies as soon as it is known again is not begun and charged once more", async () => {
  const account = await before.account("0");
  await account.post("/v1/subscription", { id: "plan-2", plan: "monthly", currency: "eur" });
  // Long enough for the provider to have forgotten the key that it was begun under.
  await before.advance(2 * 86_400);
  const charged = (await account.intents()).length;
  const same = await accountLike(account, restored, null);
  await restored.admin("POST", `/v1/events/${await createdFor(account.id)}/resend`);
  await restored.settle();
  const customer = (await account.intents())[0]!.customer as string;
  const { id } = (await restored.sdk.subscriptions.list({ customer })).data[0]!;
  const { payments } = restored.subscriptions!;
  const record = (await payments.subscription(id)) as Parameters<typeof restoreSubscription>[1];
  await restoreSubscription({ ...restored.engine, payments }, record);
  await restored.advance(61);
  expect((await restored.sdk.subscriptions.list({ customer })).data).toHaveLength(1);
  expect((await account.intents()).length).toBe(charged);
  expect(await same.available()).toBe("700");
  await restored.verify();
});

async function startOwnWorld() {
  const world = await startPayingWorld();
  return { ...world, [Symbol.asyncDispose]: world.close };
}

const WITH_PLAN: PriceBookInput = {
  ...SELLING,
  plans: [{ id: "monthly", name: "Monthly", interval: "month", credits: "700", prices: { eur: 500 } }],
};

/** The account of the same id there, whose world numbers its accounts by itself. */
async function accountLike({ id }: { id: string }, there = before, card?: null) {
  for (;;) {
    const account = await there.account("0", card);
    if (account.id === id) return account;
  }
}

/** The event by which the account's customer is known again. */
async function createdFor(accountId: string): Promise<string> {
  const { data } = await restored.sdk.events.list({ type: "customer.created", limit: 100 });
  return data.find(({ data: { object } }) => JSON.stringify(object).includes(`"${accountId}"`))!.id;
}

async function chargedAt({ engine }: PayingWorld, accountId: string): Promise<unknown[]> {
  const { rows } = await engine.pool.query(
    "select payment_id, charged_at::text from payments where account_id = $1 order by payment_id",
    [accountId],
  );
  return rows;
}

async function copyCustomer(accountId: string): Promise<void> {
  const { rows } = await before.engine.pool.query(
    "select account_id, creation_id, customer_id, created_at::text from payment_customers where account_id = $1",
    [accountId],
  );
  await restored.engine.pool.query("insert into payment_customers values ($1, $2, $3, $4)", [
    ...Object.values(rows[0]),
  ]);
}

async function eventOf(type: string): Promise<string | undefined> {
  const { rows } = await restored.engine.pool.query<{ id: string }>(
    "select event_id as id from payment_events where type = $1 and state = 'done' limit 1",
    [type],
  );
  return rows[0]?.id;
}
