/** Plans by the real adapter and the official SDK, over HTTP to a Stripe that keeps Stripe's rules. */
import { addMonths } from "@bursar/contract/calendar";
import type { Instant } from "@bursar/contract/instant";
import { openIdentity } from "@bursar/identity/open";
import { stripeOf } from "@bursar/stripe/client";
import { afterEach, beforeEach, expect, it } from "vitest";
import { carryOnDeletion } from "../src/identity/deletion.ts";
import { mortal } from "./mortal.ts";
import { type PayingWorld, POLICY, startPayingWorld } from "./paying-world.ts";
import { password, peopleOf } from "./people-of.ts";

const DAY = 86_400;

let world: PayingWorld;
beforeEach(async () => {
  world = await startPayingWorld({ timeoutMilliseconds: 10_000 });
});
afterEach(async () => {
  await world.verify();
  await world.close();
});

const client = () => stripeOf(world.stripe);

type Account = Awaited<ReturnType<PayingWorld["account"]>>;
const begin = (account: Account, plan = "galaxy", more: object = {}) =>
  account.post("/v1/subscription", { plan, currency: "eur", ...more });
const current = async (account: Account) => (await account.get("/v1/subscription")).body.subscription;
const invoices = async (account: Account) =>
  (await account.get("/v1/invoices")).body.invoices as { status: string; plan: string; amountPaid: number }[];

/** To a little after the n-th renewal, when the credits of the period before are gone, too. */
async function passTo(start: Instant, months: number): Promise<void> {
  await world.advance((addMonths(start, months) - world.clock.now()) / 1_000_000 + 2 * 3600 + 60);
}

/** An account whose plan has just renewed, on a card that declines. */
async function withUnpaidRenewal(): Promise<Account> {
  const start = world.clock.now();
  const account = await world.account();
  await begin(account, "orbit");
  await world.settle();
  world.stripe.changeCard(account.methodId, { behavesAs: "pm_card_chargeDeclined" });
  await passTo(start, 1);
  return account;
}

it("charges and gives once a month, with webhooks lost, doubled, reordered and delivered twice at once", async () => {
  const start = world.clock.now();
  const account = await world.account();
  const begun = await begin(account);
  expect([begun.status, begun.body.subscription]).toMatchObject([
    201,
    { state: "active", plan: { id: "galaxy", amount: 3999 }, renewsAs: { id: "galaxy" } },
  ]);
  expect(await account.available()).toBe("550");
  await world.settle();
  expect(await account.available()).toBe("550");
  const faults = ["duplicate_webhook", "reorder_webhooks", "concurrent_webhook", "lose_webhook"] as const;
  for (let month = 1; month <= 5; month++) {
    const kind = faults[month - 1];
    if (kind !== undefined) world.stripe.faults.add({ kind, times: 20 });
    await passTo(start, month);
    // What got lost is asked for, two hours later.
    await world.advance(3 * 3600);
    world.stripe.faults.clear();
    await expect.poll(() => invoices(account)).toHaveLength(month + 1);
    await expect.poll(account.available).toBe("550");
  }
  expect(
    (await invoices(account)).every(({ status, amountPaid }) => status === "paid" && amountPaid === 3999),
  ).toBe(true);
});

it("begins once where the provider's answer never comes", async () => {
  await world.close();
  world = await startPayingWorld({ timeoutMilliseconds: 1000 });
  const account = await world.account();
  world.stripe.faults.add({ kind: "timeout", when: "after", on: "POST /v1/subscriptions" });
  const silent = await begin(account, "galaxy", { id: "mine" });
  expect([silent.status, silent.body.error.code]).toEqual([503, "payment_unavailable"]);
  expect((await begin(account, "galaxy", { id: "mine" })).body.subscription.state).toBe("active");
  await world.advance(2 * DAY);
  expect(await account.available()).toBe("550");
  expect(await invoices(account)).toHaveLength(1);
});

it("accounts may choose the same ids", async () => {
  const [one, two] = [await world.account(), await world.account()];
  for (const account of [one, two]) {
    expect((await begin(account, "orbit", { id: "mine" })).status).toBe(201);
    const key = { "idempotency-key": "dearer" };
    const changed = await world.call(account.key, "PATCH", "/v1/subscription", { plan: "galaxy" }, key);
    expect([changed.status, changed.body.subscription?.plan.id]).toEqual([200, "galaxy"]);
  }
  const [three, four] = [await world.account("0", null), await world.account("0", null)];
  for (const account of [three, four])
    expect((await begin(account, "orbit", { id: "page" })).body.subscription?.url).toContain("http");
});

it("a change costs what its preview said; a cheaper plan comes with the next period", async () => {
  const start = world.clock.now();
  const account = await world.account();
  await begin(account, "orbit");
  await world.advance(10 * DAY);
  const preview = (await account.post("/v1/subscription/preview", { plan: "galaxy" })).body;
  expect(preview.effective).toBe("now");
  const changed = await account.call("PATCH", "/v1/subscription", { plan: "galaxy" });
  expect(changed.body.subscription).toMatchObject({ state: "active", plan: { id: "galaxy" } });
  await world.settle();
  const [update] = await invoices(account);
  expect(update).toMatchObject({ plan: "galaxy", amountPaid: preview.dueNow });
  expect(Number(await account.available())).toBeCloseTo(100 + Number(preview.creditsNow), 6);
  const back = await account.call("PATCH", "/v1/subscription", { plan: "orbit" });
  expect(back.body.subscription).toMatchObject({ plan: { id: "galaxy" }, renewsAs: { id: "orbit" } });
  await passTo(start, 1);
  await expect.poll(account.available).toBe("100");
  expect((await current(account)).plan.id).toBe("orbit");
});

it("an id makes one change: for another plan it is a conflict, and nothing changes", async () => {
  const account = await world.account();
  await begin(account, "orbit");
  const change = async (plan: string) => {
    const key = { "idempotency-key": "one-change" };
    const { status, body } = await world.call(account.key, "PATCH", "/v1/subscription", { plan }, key);
    return [status, body.error?.code ?? body.subscription.renewsAs.id];
  };
  expect(await change("galaxy")).toEqual([200, "galaxy"]);
  expect(await change("galaxy")).toEqual([200, "galaxy"]);
  expect(await change("orbit")).toEqual([409, "key_conflict"]);
  expect(await current(account)).toMatchObject({ plan: { id: "galaxy" }, renewsAs: { id: "galaxy" } });
});

it("a year is paid for once, and gives its credits month by month", async () => {
  const start = world.clock.now();
  const account = await world.account();
  await begin(account, "galaxy-year");
  for (let month = 1; month <= 11; month++) {
    await passTo(start, month);
    await expect.poll(account.available).toBe("500");
  }
  expect(await invoices(account)).toHaveLength(1);
  await account.call("DELETE", "/v1/subscription");
  await passTo(start, 12);
  await expect.poll(account.available).toBe("0");
  await expect.poll(async () => (await current(account)).state).toBe("ended");
});

it("an unpaid renewal is past due with grace, told once a try, and paid in the end", async () => {
  const account = await withUnpaidRenewal();
  await expect
    .poll(() => current(account))
    .toMatchObject({ state: "past_due", graceUntil: expect.any(String) });
  // What the period left unused lives on meanwhile.
  await expect.poll(account.available).toBe("100");
  world.stripe.changeCard(account.methodId, { behavesAs: "pm_card_visa" });
  await world.advance(3 * DAY + 60);
  await expect.poll(() => current(account)).toMatchObject({ state: "active", graceUntil: null });
  await expect.poll(account.available).toBe("200");
  const told = await account.notices();
  expect(told.filter((kind) => kind === "subscription_past_due")).toHaveLength(1);
});

it("canceled while its renewal is unpaid, the card is charged no more", async () => {
  const account = await withUnpaidRenewal();
  await expect.poll(() => current(account)).toMatchObject({ state: "past_due" });
  world.stripe.changeCard(account.methodId, { behavesAs: "pm_card_visa" });
  const { status, body } = await account.call("DELETE", "/v1/subscription");
  expect([status, body.subscription]).toMatchObject([200, { state: "ended", endReason: "canceled" }]);
  await world.advance(10 * DAY);
  expect((await invoices(account)).map(({ amountPaid }) => amountPaid)).toEqual([0, 999]);
  expect(await account.available()).toBe("0");
});

it("a renewal that stays unpaid ends the plan after a week", async () => {
  const account = await withUnpaidRenewal();
  for (let day = 0; day < 9; day++) await world.advance(DAY);
  await expect.poll(() => current(account)).toMatchObject({ state: "ended", endReason: "unpaid" });
  expect(await account.available()).toBe("0");
});

it("begins on Stripe's page without a saved card, or where the bank asks; a declined card begins nothing", async () => {
  const account = await world.account("0", null);
  const begun = (await begin(account)).body.subscription;
  expect(begun).toMatchObject({ state: "starting", url: expect.stringContaining("http") });
  world.stripe.payCheckout(/cs_[A-Za-z0-9_]+/.exec(begun.url)![0]);
  await world.settle();
  await expect.poll(account.available).toBe("550");
  expect((await current(account)).state).toBe("active");

  const asked = await world.account("0", "pm_card_authenticationRequired");
  expect((await begin(asked)).body.subscription).toMatchObject({
    state: "starting",
    url: expect.any(String),
  });
  expect((await asked.call("DELETE", "/v1/subscription")).body.subscription.state).toBe("failed");

  const broke = await world.account("0", "pm_card_chargeCustomerFail");
  const declined = await begin(broke);
  expect([declined.status, declined.body.error.code]).toEqual([402, "payment_failed"]);
  await world.settle();
  expect([await broke.available(), await invoices(broke)]).toEqual(["0", []]);
});

it("an invoice that is paid back, in parts or after a lost dispute, takes its credits with it", async () => {
  const account = await world.account();
  await begin(account);
  await world.settle();
  const [charge] = (await client().charges.list({ limit: 1 })).data;
  await client().refunds.create({ charge: charge!.id, amount: 1333 });
  await world.settle();
  // A third of 550, rounded down.
  await expect.poll(account.available).toBe("366.666667");
  await client().refunds.create({ charge: charge!.id });
  await world.settle();
  await expect.poll(account.available).toBe("0");

  const other = await world.account("0", "pm_card_visa");
  await begin(other, "orbit");
  await world.settle();
  const [disputed] = (await client().charges.list({ limit: 1 })).data;
  const dispute = world.stripe.openDispute(disputed!.id);
  await world.settle();
  await expect.poll(other.balance).toEqual(["0", "100", "0"]);
  world.stripe.closeDispute(dispute.id, "lost");
  await world.settle();
  await expect.poll(other.available).toBe("0");
});

it("whoever is deleted is charged no more, by a plan, by auto top-up or by a key that is still about", async () => {
  const start = world.clock.now();
  const sign = peopleOf(world);
  const [root, ann] = [await sign("root", "admin"), await sign("ann")];
  const owner = { accountId: ann.accountId };
  await ann.post("/v1/payment-methods", { paymentMethod: "pm_card_visa" });
  expect((await ann.post("/v1/subscription", { plan: "galaxy", currency: "eur" })).status).toBe(201);
  expect((await world.admin("PUT", "/v1/topup-policy", { ...POLICY, threshold: "1", ...owner })).status).toBe(
    200,
  );
  await world.settle();
  await root.post("/v1/organizations", { id: "org_kept", name: "Kept" });
  await world.engine.pool.query(
    `insert into organization_members (organization_id, person_id, person_account_id, role, joined_at)
     values ('org_kept', $1, $2, 'member', now())`,
    [ann.id, ann.accountId],
  );
  const organizations = async () => (await ann.get("/v1/organizations")).body.organizations.length;
  const { key } = (await world.admin("POST", "/v1/keys", owner)).body;
  const spend = () => world.call(key, "POST", "/v1/spend", { amount: "1" });
  world.stripe.faults.add({ kind: "rate_limit", on: "*", times: 50 });
  const remove = () => world.call(root.token, "DELETE", `/api/auth/admin/users/${ann.id}`);
  expect((await remove()).status).toBe(503);
  expect([(await spend()).status, await organizations()]).toEqual([200, 1]);
  world.stripe.faults.clear();
  expect((await remove()).status).toBe(200);
  expect((await spend()).body.error.code).toBe("key_revoked");
  const before = (await world.intentsOf(ann.accountId)).length;
  await passTo(start, 3);
  expect(await world.intentsOf(ann.accountId)).toHaveLength(before);
  const { body } = await world.admin("GET", `/v1/subscription?accountId=${ann.accountId}`);
  expect(body.subscription).toMatchObject({ state: "ended", endReason: "canceled" });
  const policy = await world.admin("GET", `/v1/topup-policy?accountId=${ann.accountId}`);
  expect(policy.body).toMatchObject({ enabled: false, disabledReason: "account_closed" });
});

/** Somebody with a plan, a card, auto top-up and a key. */
async function subscriber(name: string) {
  const person = await peopleOf(world)(name);
  const owner = { accountId: person.accountId };
  await person.post("/v1/payment-methods", { paymentMethod: "pm_card_visa" });
  expect((await person.post("/v1/subscription", { plan: "galaxy", currency: "eur" })).status).toBe(201);
  await world.admin("PUT", "/v1/topup-policy", { ...POLICY, threshold: "1", ...owner });
  const { key } = (await world.admin("POST", "/v1/keys", owner)).body;
  const ask = async (path: string) =>
    (await world.admin("GET", `${path}?accountId=${person.accountId}`)).body;
  return {
    ...person,
    key: key as string,
    plan: async () => (await ask("/v1/subscription")).subscription,
    cards: async () => (await ask("/v1/payment-methods")).paymentMethods.length as number,
  };
}

const isKnown = async (id: string) => (await world.identity.people.find(id)) !== null;

it("who asks to be deleted while the provider is away is out at once, and deleted when it is back; nothing charges them any more", async () => {
  const start = world.clock.now();
  const ann = await subscriber("ann");
  await world.settle();
  expect((await ann.get("/v1/deletion")).body).toMatchObject({
    ...{ loses: "550", topUp: true, stoppedBy: [] },
    subscription: { name: "Galaxy", endsAt: (await ann.plan()).periodEnd },
  });
  world.stripe.faults.add({ kind: "rate_limit", on: "*", times: 1000 });
  const answer = await ann.post("/v1/deletion", { confirm: "550", password });
  expect([answer.status, answer.body]).toEqual([200, { accountId: ann.accountId, state: "under_way" }]);
  for (const key of [ann.token, ann.key])
    expect((await world.call(key, "POST", "/v1/spend", { amount: "1" })).status).toBe(401);
  // An administrator lets nobody in again who is about to go.
  expect((await world.identity.people.setDisabled(ann.id, false)).kind).toBe("person_unknown");
  await world.advance(61);
  expect(await isKnown(ann.id)).toBe(true);
  world.stripe.faults.clear();
  await world.advance(61);
  expect([await isKnown(ann.id), await ann.cards()]).toEqual([false, 0]);
  const charged = (await world.intentsOf(ann.accountId)).length;
  await passTo(start, 3);
  expect(await world.intentsOf(ann.accountId)).toHaveLength(charged);
  expect(await ann.plan()).toMatchObject({ state: "ended", endReason: "canceled" });
  const owner = { accountId: ann.accountId };
  const bought = await world.admin("POST", "/v1/purchases", {
    ...{ ...owner, credits: "1000", currency: "eur", paymentMethod: "default" },
  });
  expect(bought.body.error.code).toBe("payment_method_unknown");
});

it("what was under way when somebody left charges nothing later: a purchase that never got through, pages to pay on", async () => {
  const eve = await subscriber("eve");
  await world.settle();
  world.stripe.faults.add({ kind: "timeout", when: "before", on: "POST /v1/payment_intents", times: 1 });
  const bought = await eve.post("/v1/purchases", { id: "late", credits: "1000", currency: "eur" });
  expect(bought.body).toMatchObject({ state: "charging" });
  const shop = { credits: "1000", currency: "eur", paymentMethod: "checkout" };
  const paper = await eve.post("/v1/purchases", { id: "paper", ...shop });
  const pageUrl = paper.body.url as string;
  const before = (await world.intentsOf(eve.accountId)).length;
  expect((await eve.post("/v1/deletion", { confirm: "550", password })).body.state).toBe("deleted");
  await world.pass(90, 10);
  const after = await world.intentsOf(eve.accountId);
  expect(after.filter(({ status }) => status === "succeeded")).toHaveLength(before);
  const { body } = await world.admin("GET", `/v1/payments/late?accountId=${eve.accountId}`);
  expect(["failed", "canceled"]).toContain(body.state);
  await fetch(pageUrl, { method: "POST", body: new URLSearchParams({ method: "pm_card_visa" }) });
  await world.settle();
  const unpaid = await world.admin("GET", `/v1/payments/paper?accountId=${eve.accountId}`);
  expect(unpaid.body.state).toBe("canceled");

  const fay = await peopleOf(world)("fay");
  const page = await fay.post("/v1/subscription", { plan: "orbit", currency: "eur" });
  expect(page.body.subscription).toMatchObject({ state: "starting" });
  expect((await fay.post("/v1/deletion", { confirm: "0", password })).body.state).toBe("deleted");
  const owner = `accountId=${fay.accountId}`;
  expect((await world.admin("GET", `/v1/subscription?${owner}`)).body.subscription).toMatchObject({
    ...{ state: "failed", endReason: "abandoned" },
  });
});

it("a plan that nobody knows to have begun is begun for nobody who has asked to be deleted", async () => {
  const gil = await peopleOf(world)("gil");
  await gil.post("/v1/payment-methods", { paymentMethod: "pm_card_visa" });
  world.stripe.faults.add({ kind: "timeout", when: "before", on: "POST /v1/subscriptions", times: 1 });
  expect((await gil.post("/v1/subscription", { plan: "galaxy", currency: "eur" })).status).toBe(503);
  expect((await gil.post("/v1/deletion", { confirm: "0", password })).body.state).toBe("under_way");
  await world.pass(10, 2);
  expect([await isKnown(gil.id), await world.intentsOf(gil.accountId)]).toEqual([false, []]);
});

it("credits that were on their way back when somebody left are paid back", async () => {
  const hal = await peopleOf(world)("hal");
  await hal.post("/v1/payment-methods", { paymentMethod: "pm_card_visa" });
  await hal.post("/v1/purchases", { id: "unused", credits: "1000", currency: "eur" });
  await world.settle();
  world.stripe.faults.add({ kind: "timeout", when: "before", on: "POST /v1/refunds", times: 1 });
  expect((await hal.post("/v1/payments/unused/refund-unused", {})).status).toBe(503);
  expect((await hal.get("/v1/deletion")).body).toMatchObject({ loses: "1000", returnable: [] });
  expect((await hal.post("/v1/deletion", { confirm: "1000", password })).body.state).toBe("deleted");
  await world.pass(10, 2);
  const { body } = await world.admin("GET", `/v1/payments/unused?accountId=${hal.accountId}`);
  expect(body).toMatchObject({ refunded: 200 });
  const balance = await world.admin("GET", `/v1/balance?accountId=${hal.accountId}`);
  expect(balance.body).toMatchObject({ available: "0", held: "0", owed: "0" });
});

it("a deletion whose process is killed anywhere has done nothing, or comes to its end", async () => {
  let killed = 0;
  for (let step = 1, isOver = false; !isOver; step++) {
    const ben = await subscriber(`ben${step}`);
    await world.settle();
    const { deps, diedAt } = mortal(world.paying, { step, when: "before", counts: "effects" });
    const settings = { secret: "x".repeat(32), url: () => world.url, verifyEmail: false, oidc: null };
    const dying = { ...deps, identity: openIdentity(deps, settings), subscriptions: world.subscriptions };
    const begun = await dying.identity.beginDeletion(ben.id).catch(() => null);
    if (begun !== null) await carryOnDeletion(dying, ben as never);
    isOver = diedAt() === null;
    if (!isOver) killed++;
    await world.advance(61);
    const left = [await isKnown(ben.id), (await ben.plan()).cancelAtPeriodEnd, await ben.cards()];
    expect([step, diedAt(), ...left]).toEqual([
      ...[step, diedAt()],
      ...(begun === null ? [true, false, 1] : [false, true, 0]),
    ]);
    expect((await world.call(ben.key, "GET", "/v1/balance")).status).toBe(begun === null ? 200 : 401);
    const mails = await world.engine.pool.query("select from mails where mail_id = $1", [
      `farewell:${ben.id}`,
    ]);
    expect(mails.rowCount).toBe(begun === null ? 0 : 1);
  }
  expect(killed).toBeGreaterThan(7);
}, 120_000);

it("an invoice in a currency that nothing is sold in here is for something else that its seller sells: it is ignored", async () => {
  const { id: customer } = await client().customers.create({ name: "Somebody else" });
  const method = await client().paymentMethods.attach("pm_card_visa", { customer });
  const { id: product } = await client().products.create({ name: "Something else" });
  const price = { currency: "gbp", product, unit_amount: 1000, recurring: { interval: "month" } } as const;
  const facts = { customer, default_payment_method: method.id };
  await client().subscriptions.create({ ...facts, items: [{ price_data: price }] });
  await world.settle();
  const { rows } = await world.engine.pool.query(
    "select distinct state from payment_events where type like 'invoice.%'",
  );
  expect(rows).toEqual([{ state: "ignored" }]);
});

it("a plan that has ended at the provider, which nobody has heard of here, is ended, resumed and changed no more; its owner can be deleted", async () => {
  const endUnheard = async (account: { readonly accountId: string }) => {
    const { rows } = await world.engine.pool.query(
      "select provider_id as id from subscriptions where account_id = $1",
      [account.accountId],
    );
    world.stripe.faults.add({ kind: "lose_webhook", times: 20 });
    await client().subscriptions.cancel(rows[0].id);
  };
  const calls = [
    ["POST", "/v1/subscription/resume", undefined, 404],
    ["POST", "/v1/subscription/preview", { plan: "galaxy" }, 404],
    ["PATCH", "/v1/subscription", { plan: "galaxy" }, 404],
    ["DELETE", "/v1/subscription", undefined, 200],
  ] as const;
  for (const [method, path, body, status] of calls) {
    const account = await world.account();
    await begin(account, "orbit");
    await world.settle();
    await endUnheard({ accountId: account.id });
    const answer = await account.call(method, path, body);
    expect([path, answer.status]).toEqual([path, status]);
    expect(await current(account)).toMatchObject({ state: "ended" });
    world.stripe.faults.clear();
  }
  const sign = peopleOf(world);
  const [root, ben] = [await sign("root", "admin"), await sign("ben")];
  await ben.post("/v1/payment-methods", { paymentMethod: "pm_card_visa" });
  await ben.post("/v1/subscription", { plan: "orbit", currency: "eur" });
  await world.settle();
  await endUnheard(ben);
  expect((await world.call(root.token, "DELETE", `/api/auth/admin/users/${ben.id}`)).status).toBe(200);
});

it("a page that the provider refuses to open is told as such, and keeps nobody from trying again", async () => {
  const account = await world.account();
  const { rows } = await world.engine.pool.query(
    "select customer_id as id from payment_customers where account_id = $1",
    [account.id],
  );
  world.stripe.faults.add({ kind: "lose_webhook", times: 20 });
  await client().customers.del(rows[0].id);
  const refused = await begin(account, "orbit", { paymentMethod: "checkout" });
  expect([refused.status, refused.body.error.code]).toEqual([402, "payment_failed"]);
  // Whoever asks for the account's cards learns that its customer is gone.
  await account.get("/v1/payment-methods");
  const begun = await begin(account, "orbit", { paymentMethod: "checkout" });
  expect([begun.status, begun.body.subscription]).toMatchObject([201, { state: "starting" }]);
  expect(begun.body.subscription.url).toMatch(/^http/);
});

it("a plan whose end was set at the provider, by its day, is shown as ending with its period", async () => {
  const account = await world.account();
  await begin(account, "orbit");
  await world.settle();
  const [subscription] = (await client().subscriptions.list({ limit: 1 })).data;
  const cancel_at = subscription!.items.data[0]!.current_period_end;
  await client().subscriptions.update(subscription!.id, { cancel_at });
  await world.settle();
  expect(await current(account)).toMatchObject({ state: "active", cancelAtPeriodEnd: true });
  const resumed = await account.post("/v1/subscription/resume");
  expect([resumed.status, resumed.body.subscription]).toMatchObject([200, { cancelAtPeriodEnd: false }]);
});
