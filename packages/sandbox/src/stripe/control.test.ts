import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Stripe } from "stripe";
import { afterAll, expect, test } from "vitest";
import { startLazyStripe } from "../lazy-stripe.ts";
import { type SandboxStripe, startSandboxStripe } from "../stripe.ts";
import { errorOf, START, startReceiver, useSandboxStripe } from "./testing/world.ts";

const { sandbox, stripe, receiver, clock } = await useSandboxStripe();
const folder = await mkdtemp(join(tmpdir(), "sandbox-stripe-"));
afterAll(() => rm(folder, { recursive: true }));

async function control(method: string, path: string, body?: object) {
  const response = await fetch(`${sandbox.url}/sandbox/${path}`, {
    method,
    ...(body !== undefined && {
      body: JSON.stringify(body),
      headers: { "content-type": "application/json" },
    }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

test("faults are added, shown and cleared over HTTP, and bad ones are named", async () => {
  const added = await control("POST", "faults", { kind: "decline", reason: "lost_card", times: 2 });
  expect(added).toEqual({ status: 200, body: { kind: "decline", reason: "lost_card", times: 2 } });
  expect((await control("GET", "faults")).body).toEqual({ faults: [added.body] });
  await control("DELETE", "faults");
  expect(sandbox.faults.list()).toEqual([]);
  expect((await control("POST", "faults", { kind: "earthquake" })).status).toBe(400);
  expect((await control("POST", "nowhere", {})).status).toBe(404);
  const plain = await fetch(`${sandbox.url}/sandbox/faults`, { method: "POST", body: '{"kind":"decline"}' });
  expect(plain.status).toBe(400);
  expect(sandbox.faults.list()).toEqual([]);
});

test("a saved card is made to behave as another, or to expire, over HTTP", async () => {
  const customer = await stripe.customers.create({ payment_method: "pm_card_visa" });
  const [method] = (await stripe.customers.listPaymentMethods(customer.id)).data;
  const pay = () =>
    stripe.paymentIntents.create({
      amount: 500,
      currency: "usd",
      customer: customer.id,
      payment_method: method!.id,
      off_session: true,
      confirm: true,
    });
  await control("POST", `cards/${method!.id}`, { behavesAs: "pm_card_chargeDeclinedLostCard" });
  expect(await errorOf(pay())).toMatchObject({ decline_code: "lost_card" });
  await control("POST", `cards/${method!.id}`, { behavesAs: "4242424242424242" });
  expect((await pay()).status).toBe("succeeded");
  await control("POST", `cards/${method!.id}`, { expires: { month: 1, year: 2020 } });
  expect(await errorOf(pay())).toMatchObject({ code: "expired_card" });
  const wrong = await control("POST", `cards/${method!.id}`, { behavesAs: "1234" });
  expect(wrong).toMatchObject({ status: 400, body: { error: { param: "behavesAs" } } });
  expect((await control("DELETE", `customers/${customer.id}`)).status).toBe(200);
  expect(await stripe.customers.retrieve(customer.id)).toMatchObject({ deleted: true });
});

test("a webhook that is refused comes again after five seconds, and a resent one at once", async () => {
  const { body: endpoint } = await control("POST", "endpoints", {
    url: receiver.url,
    events: ["customer.created"],
  });
  receiver.clear();
  receiver.state.status = 500;
  await stripe.customers.create({ name: "First" });
  await sandbox.tick();
  expect(receiver.received).toHaveLength(1);
  clock.now += 4999;
  expect(await sandbox.tick()).toBe(0);
  receiver.state.status = 200;
  clock.now += 1;
  await sandbox.tick();
  expect(receiver.received).toHaveLength(2);
  const { event } = receiver.received[0]!;
  expect((await stripe.events.retrieve(event.id)).pending_webhooks).toBe(0);
  await control("POST", `events/${event.id}/resend`);
  await sandbox.tick();
  expect(receiver.received.map((received) => received.event.id)).toEqual([event.id, event.id, event.id]);
  await stripe.webhookEndpoints.del(String(endpoint["id"]));
});

test("webhooks are lost, doubled, reordered, late and concurrent on demand", async () => {
  const second = await startReceiver();
  const endpoint = sandbox.register(receiver.url, [
    "customer.created",
    "customer.updated",
    "customer.deleted",
  ]);
  const names = () => receiver.received.map(({ event }) => event.type.split(".")[1]);
  const life = async () => {
    receiver.clear();
    const { id } = await stripe.customers.create();
    await sandbox.tick();
    await stripe.customers.update(id, { name: "Ada" });
    await sandbox.tick();
  };
  sandbox.faults.add({ kind: "lose_webhook", events: "customer.created" });
  await life();
  expect(names()).toEqual(["updated"]);
  sandbox.faults.add({ kind: "duplicate_webhook", events: "customer.*" });
  await life();
  expect(names()).toEqual(["created", "created", "updated"]);
  sandbox.faults.add({ kind: "delay_webhook", events: "customer.created", seconds: 3 * 86_400 });
  await life();
  expect(names()).toEqual(["updated"]);
  clock.now += 3 * 86_400_000;
  await sandbox.tick();
  expect(names()).toEqual(["updated", "created"]);
  sandbox.faults.add({ kind: "concurrent_webhook", urls: [second.url] });
  await life();
  expect(names()).toEqual(["created", "updated"]);
  expect(second.types()).toEqual(["customer.created"]);
  await stripe.webhookEndpoints.del(endpoint.id);
  await second.close();
});

test("reordered: of what one request causes, the last comes first", async () => {
  sandbox.register(receiver.url);
  await sandbox.tick();
  receiver.clear();
  sandbox.faults.add({ kind: "reorder_webhooks", events: "*", times: 3 });
  await stripe.paymentIntents.create({
    amount: 500,
    currency: "usd",
    payment_method: "pm_card_visa",
    confirm: true,
    return_url: "https://shop.test",
  });
  await sandbox.tick();
  expect(receiver.types()).toEqual([
    "payment_intent.succeeded",
    "charge.succeeded",
    "payment_intent.created",
  ]);
});

test("an endpoint made by the API has a secret of its own, told once", async () => {
  const made = await stripe.webhookEndpoints.create({ url: receiver.url, enabled_events: ["*"] });
  expect(made.secret).toMatch(/^whsec_/);
  expect((await stripe.webhookEndpoints.retrieve(made.id)).secret).toBeUndefined();
  await stripe.webhookEndpoints.del(made.id);
});

function clientOf({ url, secretKey }: Pick<SandboxStripe, "secretKey" | "url">): Stripe {
  const { hostname, port } = new URL(url);
  return new Stripe(secretKey, { host: hostname, port, protocol: "http", telemetry: false });
}

test("with a data file everything is there after a restart, and a new address takes over what is on its way", async () => {
  const dataFile = join(folder, "stripe.json");
  const first = await startSandboxStripe({ now: () => START, dataFile });
  first.register("http://127.0.0.1:1/gone");
  const { id } = await clientOf(first).customers.create({ name: "Kept" }, { idempotencyKey: "kept_1" });
  await first.close();
  const again = await startSandboxStripe({ now: () => START + 60_000, dataFile });
  expect(again.secretKey).toBe(first.secretKey);
  const client = clientOf(again);
  expect(await client.customers.retrieve(id)).toMatchObject({ name: "Kept" });
  const replayed = await client.customers.create({ name: "Kept" }, { idempotencyKey: "kept_1" });
  expect(replayed.id).toBe(id);
  const heir = await startReceiver();
  again.register(heir.url);
  await again.tick();
  expect(heir.types()).toEqual(["customer.created"]);
  await again.close();
  await heir.close();
});

test("the lazy one listens at once, keeps what is asked of it, and misses nothing that an earlier start has left", async () => {
  const dataFile = join(folder, "lazy.json");
  const heir = await startReceiver();
  const first = await startLazyStripe({ now: () => START, dataFile });
  first.register(heir.url);
  expect(await first.tick()).toBe(0);
  const intent = await clientOf(first).paymentIntents.create({
    amount: 500,
    currency: "usd",
    payment_method: "pm_usBankAccount_success",
    off_session: true,
    confirm: true,
  });
  await first.tick();
  expect(heir.types()).toContain("payment_intent.processing");
  await first.close();
  const again = await startLazyStripe({ now: () => START + 3_600_000, dataFile });
  again.register(heir.url);
  await again.tick();
  expect(heir.types()).toContain("payment_intent.succeeded");
  expect((await clientOf(again).paymentIntents.retrieve(intent.id)).status).toBe("succeeded");
  await again.close();
  await heir.close();
});

test("a data file that is none is refused by name and left alone", async () => {
  const dataFile = join(folder, "other.json");
  await writeFile(dataFile, "{}");
  await expect(startSandboxStripe({ now: () => START, dataFile })).rejects.toThrow(dataFile);
});
