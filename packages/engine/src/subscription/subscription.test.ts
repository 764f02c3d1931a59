import { addMonths } from "@bursar/contract/calendar";
import type { AccountId, GrantId } from "@bursar/contract/ids";
import { addSeconds, type Instant, parseInstant } from "@bursar/contract/instant";
import { credits, formatCredits } from "@bursar/contract/money";
import { priceBookBody } from "@bursar/contract/operations/prices";
import { createTestDatabase } from "@bursar/database/testing";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import {
  type BillingEvent,
  type BillingWorld,
  openBillingWorld,
  pricesOf,
} from "../../test/billing-world.ts";
import {
  command,
  ledgerOn,
  openTestLedger,
  silentLog,
  type TestLedger,
} from "../../test/ledger-on-test-database.ts";
import { balance } from "../balance/balance.ts";
import { changePlan, previewChange, setCancelAtPeriodEnd } from "./change.ts";
import { currentSubscription } from "./store.ts";
import { subscribe } from "./subscribe.ts";
import type { SubscriptionId } from "./subscription.ts";
import { syncInvoice, syncSubscription } from "./sync.ts";
import { tendSubscriptions } from "./tend.ts";

const DAY = 86_400;
/** When the credits of the period that has ended are gone, too. */
const SETTLED = 2 * 3600;
const START = parseInstant("2027-01-31T09:00:00Z")!;

const prices = pricesOf(
  priceBookBody.parse({
    models: {},
    plans: [
      { id: "orbit", name: "Orbit", credits: "100", prices: { eur: 1000 } },
      { id: "galaxy", name: "Galaxy", credits: "500", bonus: "50", prices: { eur: 4000, jpy: 6000 } },
      { id: "galaxy-year", name: "Galaxy", interval: "year", credits: "500", prices: { eur: 40_000 } },
    ],
  }),
);

let one: TestLedger;
let other: ReturnType<typeof ledgerOn>;
let world: BillingWorld;
let accountId: AccountId;

beforeAll(async () => {
  one = await openTestLedger(createTestDatabase);
  other = ledgerOn(one.url);
});
afterAll(async () => {
  await other.close();
  await one.close();
});
beforeEach(async () => {
  setTime(START);
  world = openBillingWorld(one.clock);
  // Earlier tests' worlds are gone, and with them whom to ask.
  await one.pool.query("update subscriptions set due_at = null");
  accountId = await one.createAccount();
  const bought = {
    kind: "grant",
    id: "bought",
    amount: credits("1000"),
    source: "purchase",
    priority: 80,
  } as const;
  await one.ledger.submit(command(accountId, bought));
});

function setTime(now: Instant): void {
  one.clock.set(now);
  other.clock.set(now);
}
const deps = () => ({ ...one, ...world.provider, prices, log: silentLog });
const depsOfOther = () => ({ ...other, ...world.provider, prices, log: silentLog });

const begin = (planId = "galaxy", id?: string, method = "default") =>
  subscribe(deps(), {
    accountId,
    id: id as SubscriptionId | undefined,
    planId,
    currency: "eur",
    method,
    returnUrl: null,
    by: "test",
  });
const current = async () => (await currentSubscription(one.pool, accountId))!;
const handle = (event: BillingEvent, all = deps()) =>
  event.kind === "invoice" ? syncInvoice(all, event.id) : syncSubscription(all, event.id);

async function passTo(now: Instant, tell: (events: BillingEvent[]) => BillingEvent[] = (events) => events) {
  setTime(now);
  world.tick();
  for (const event of tell(world.takeEvents())) await handle(event);
}
async function tendAll(): Promise<void> {
  while ((await tendSubscriptions(deps())) > 0);
}

async function grants() {
  const { rows } = await one.pool.query<{ reference: string; amount: bigint }>(
    `select reference, amount from entries where account_id = $1 and kind = 'grant' and reference <> 'bought' order by seq`,
    [accountId],
  );
  return rows.map(({ reference, amount }): [string, string] => [reference, formatCredits(amount)]);
}
async function told(kind: string) {
  const { rows } = await one.pool.query<{ title: string }>(
    "select title from notices where account_id = $1 and kind = $2 order by at, notice_id",
    [accountId, kind],
  );
  return rows.map(({ title }) => title);
}
const bought = async () =>
  (await balance(one, accountId))?.grants.find(({ id }) => id === ("bought" as GrantId))?.remaining;

function shuffled<Item>(items: readonly Item[], seed: number): Item[] {
  let state = seed;
  const next = () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648);
  return items
    .map((item) => ({ item, order: next() }))
    .toSorted((a, b) => a.order - b.order)
    .map(({ item }) => item);
}

it("gives base and bonus once an invoice, in whatever order and however often its events come, or not at all", async () => {
  await begin();
  for (let month = 1; month <= 14; month++) {
    setTime(addSeconds(addMonths(START, month), 5));
    world.tick();
    const events = world.takeEvents();
    if (month % 5 === 0) {
      // All are lost; hours later the background asks by itself.
      setTime(addSeconds(addMonths(START, month), 3 * 3600));
      await tendAll();
      continue;
    }
    const storm = shuffled([...events, ...events, ...events], month);
    await Promise.all(storm.map((event, index) => handle(event, index % 2 === 0 ? deps() : depsOfOther())));
  }
  expect(await grants()).toEqual(
    Array.from({ length: 15 }, (_, index): [string, string] => [`grant_in_${index + 1}`, "550"]),
  );
  expect((await balance(one, accountId))?.available).toBe(credits("2100"));
  setTime(addSeconds(addMonths(START, 14), SETTLED));
  // The last month's alone, and what was bought.
  expect((await balance(one, accountId))?.available).toBe(credits("1550"));
  expect(await current()).toMatchObject({ state: "active", periodStart: addMonths(START, 14) });
});

it("gives a year's credits month by month, and loses none to an outage", async () => {
  await begin("galaxy-year");
  for (let month = 1; month <= 11; month++) {
    // No process runs from the third month to the sixth.
    if (month >= 3 && month <= 5) continue;
    setTime(addMonths(START, month));
    await Promise.all([tendSubscriptions(deps()), tendSubscriptions(depsOfOther())]);
    await tendAll();
  }
  const year = Array.from({ length: 12 }, (_, index) => `grant_in_1_${index + 1}`);
  expect((await grants()).map(([id]) => id).toSorted()).toEqual(year.toSorted());
  expect((await grants()).every(([, amount]) => amount === "500")).toBe(true);
  expect(world.invoiceCount()).toBe(1);
});

it("begins once, however many ask and wherever the provider's answer gets lost", async () => {
  const both = await Promise.all(Array.from({ length: 20 }, () => begin("galaxy")));
  expect(both.filter(({ kind }) => kind === "begun")).toHaveLength(1);
  expect(both.filter(({ kind }) => kind === "subscription_exists")).toHaveLength(19);
  expect(world.subscriptionCount()).toBe(1);

  accountId = await one.createAccount();
  world.failNext("after");
  await expect(begin("orbit", "mine")).rejects.toThrow("no answer");
  expect(await current()).toMatchObject({ state: "starting" });
  // Asked again under its id, or carried on by the background: the same subscription.
  expect(await begin("orbit", "mine")).toMatchObject({ kind: "begun", duplicate: true });
  await tendAll();
  expect(await begin("galaxy", "mine")).toEqual({ kind: "key_conflict" });
  expect(world.subscriptionCount()).toBe(2);
  expect((await grants()).map(([, amount]) => amount)).toEqual(["100"]);

  accountId = await one.createAccount();
  world.failNext("before");
  await expect(begin("orbit")).rejects.toThrow("no answer");
  expect((await setCancelAtPeriodEnd(deps(), accountId, true)).kind).toBe("subscription_refused");
  setTime(addSeconds(START, 61));
  await tendAll();
  expect(await current()).toMatchObject({ state: "active" });
  expect(world.subscriptionCount()).toBe(3);
});

it("begins on a page where there is no method or the bank asks, and gives up a page that nobody pays on", async () => {
  world.forgetMethods(accountId);
  const begun = await begin();
  expect(begun).toMatchObject({
    kind: "begun",
    subscription: { state: "starting", url: "https://pay.example/page_1" },
  });
  world.payPage("page_1");
  for (const event of shuffled(world.takeEvents(), 3)) await handle(event);
  expect(await current()).toMatchObject({ state: "active", url: null });
  expect(await grants()).toHaveLength(1);

  accountId = await one.createAccount();
  await begin("orbit", "asks", "pm_bank_asks");
  expect(await current()).toMatchObject({ state: "starting", url: "https://pay.example/page_2" });
  setTime(addSeconds(START, 24 * 3600));
  await tendAll();
  expect(await current()).toMatchObject({ state: "failed", endReason: "abandoned" });

  await begin("orbit", "again", "checkout");
  await setCancelAtPeriodEnd(deps(), accountId, true);
  expect(await current()).toMatchObject({ state: "failed", endReason: "abandoned" });
  expect(await grants()).toEqual([]);
});

it("a declined card begins nothing, and the next try is free to", async () => {
  world.setBroke(accountId, true);
  expect(await begin()).toEqual({ kind: "payment_failed", message: "The card was declined" });
  expect(await current()).toMatchObject({ state: "failed", endReason: "declined" });
  world.setBroke(accountId, false);
  expect(await begin()).toMatchObject({ kind: "begun" });
  expect(await grants()).toEqual([["grant_in_1", "550"]]);
});

it("a dearer plan costs and gives what its preview said, at once; a cheaper one waits for the next period", async () => {
  await begin("orbit");
  setTime(addSeconds(START, 14 * DAY));
  const preview = await previewChange(deps(), accountId, "galaxy");
  // Half of 28 days: half of the 30 euros between the plans, which are 15 of 40 for 550 credits.
  expect(preview).toMatchObject({ effective: "now", dueNow: 1500, creditsNow: credits("206.25") });
  const change = { accountId, planId: "galaxy", changeId: "change" };
  await changePlan(deps(), change);
  await changePlan(deps(), change);
  for (const event of shuffled(world.takeEvents(), 7)) await handle(event);
  expect(await grants()).toEqual([
    ["grant_in_1", "100"],
    ["grant_in_2", "206.25"],
  ]);
  expect(await previewChange(deps(), accountId, "orbit")).toMatchObject({
    effective: "period_end",
    at: addMonths(START, 1),
    dueNow: 0,
    creditsNow: 0n,
  });
  await changePlan(deps(), { accountId, planId: "orbit", changeId: "back" });
  expect(await current()).toMatchObject({ renewsAs: "orbit" });
  expect((await balance(one, accountId))?.available).toBe(credits("1306.25"));
  await passTo(addMonths(START, 1));
  expect((await grants()).at(-1)).toEqual(["grant_in_3", "100"]);
  setTime(addSeconds(addMonths(START, 1), SETTLED));
  expect((await balance(one, accountId))?.available).toBe(credits("1100"));
  expect(await bought()).toBe(credits("1000"));
});

it("refuses a change that cannot be paid, an unknown plan, and another interval, and changes nothing", async () => {
  await begin("orbit");
  world.setBroke(accountId, true);
  const change = (planId: string) => changePlan(deps(), { accountId, planId, changeId: planId });
  expect((await change("galaxy")).kind).toBe("payment_failed");
  expect(await change("comet")).toMatchObject({
    kind: "plan_unknown",
    known: ["orbit", "galaxy", "galaxy-year"],
  });
  expect((await change("galaxy-year")).kind).toBe("subscription_refused");
  expect(await current()).toMatchObject({ state: "active", renewsAs: "orbit" });
  expect(await grants()).toHaveLength(1);
});

it("an unpaid renewal keeps unused credits through grace and is told once a try; then it is paid", async () => {
  await begin();
  await one.ledger.submit(command(accountId, { kind: "spend", id: "some", amount: credits("130.5") }));
  world.setBroke(accountId, true);
  await passTo(addMonths(START, 1), (events) => [...events, ...events]);
  expect(await current()).toMatchObject({
    state: "past_due",
    graceUntil: addSeconds(addMonths(START, 1), 7 * DAY),
  });
  expect((await balance(one, accountId))?.available).toBe(credits("1419.5"));
  setTime(addSeconds(addMonths(START, 1), SETTLED));
  await tendAll();
  expect(await grants()).toEqual([
    ["grant_in_1", "550"],
    ["grant_grace_in_1", "419.5"],
  ]);
  await passTo(addSeconds(addMonths(START, 1), 2 * DAY), (events) => [...events, ...events]);
  expect(await told("subscription_past_due")).toHaveLength(2);
  world.setBroke(accountId, false);
  await passTo(addSeconds(addMonths(START, 1), 4 * DAY), (events) => [...events, ...events]);
  expect(await current()).toMatchObject({ state: "active", pastDueSince: null, graceUntil: null });
  expect((await grants()).at(-1)).toEqual(["grant_in_2", "550"]);
  expect(await told("subscription_past_due")).toHaveLength(2);
});

it("grace keeps what is unused of all that was paid for the period, of a dearer plan in its middle as well", async () => {
  await begin("orbit");
  setTime(addSeconds(START, 14 * DAY));
  await changePlan(deps(), { accountId, planId: "galaxy", changeId: "dearer" });
  await passTo(one.clock.now());
  await one.ledger.submit(command(accountId, { kind: "spend", id: "some", amount: credits("6.25") }));
  world.setBroke(accountId, true);
  await passTo(addMonths(START, 1));
  setTime(addSeconds(addMonths(START, 1), SETTLED));
  await tendAll();
  await tendAll();
  expect(await grants()).toEqual([
    ["grant_in_1", "100"],
    ["grant_in_2", "206.25"],
    ["grant_grace_in_1", "93.75"],
    ["grant_grace_in_2", "206.25"],
  ]);
  expect((await balance(one, accountId))?.available).toBe(credits("1300"));
});

it("a renewal that stays unpaid ends the plan with its grace, and what was bought stays", async () => {
  await begin();
  world.setBroke(accountId, true);
  const renewal = addMonths(START, 1);
  for (let day = 0; day <= 8; day++) {
    await passTo(addSeconds(renewal, day * DAY));
    await tendAll();
  }
  expect(await current()).toMatchObject({ state: "ended", endReason: "unpaid" });
  expect((await balance(one, accountId))?.available).toBe(credits("1000"));
  expect(await told("subscription_past_due")).toHaveLength(3);
  expect((await told("subscription_changed")).at(-1)).toBe("Your subscription has ended");
  world.setBroke(accountId, false);
  expect(await begin("orbit")).toMatchObject({ kind: "begun" });
});

it("nobody is without credits in the hour in which the provider charges the renewal", async () => {
  await begin();
  const renewal = addMonths(START, 1);
  setTime(addSeconds(renewal, 1800));
  await tendAll();
  expect((await balance(one, accountId))?.available).toBe(credits("1550"));
  await passTo(addSeconds(renewal, 3600));
  expect((await balance(one, accountId))?.available).toBe(credits("2100"));
  setTime(addSeconds(renewal, SETTLED));
  expect((await balance(one, accountId))?.available).toBe(credits("1550"));
  expect(await grants()).toEqual([
    ["grant_in_1", "550"],
    ["grant_in_2", "550"],
  ]);
});

it("canceled, it lasts as long as it is paid for; resumed, it is renewed", async () => {
  await begin();
  await setCancelAtPeriodEnd(deps(), accountId, true);
  expect(await current()).toMatchObject({ state: "active", cancelAtPeriodEnd: true });
  await setCancelAtPeriodEnd(deps(), accountId, false);
  await passTo(addMonths(START, 1));
  expect((await grants()).map(([id]) => id)).toEqual(["grant_in_1", "grant_in_2"]);
  await setCancelAtPeriodEnd(deps(), accountId, true);
  setTime(addSeconds(addMonths(START, 1), SETTLED));
  expect((await balance(one, accountId))?.available).toBe(credits("1550"));
  await passTo(addMonths(START, 2));
  expect(await current()).toMatchObject({ state: "ended", endReason: "canceled" });
  setTime(addSeconds(addMonths(START, 2), SETTLED));
  expect((await balance(one, accountId))?.available).toBe(credits("1000"));
  expect(await setCancelAtPeriodEnd(deps(), accountId, false)).toEqual({ kind: "subscription_unknown" });
  expect(await grants()).toHaveLength(2);
});

it("canceled when its page has been paid, which nobody has heard yet, it is not renewed", async () => {
  await begin("galaxy", "paged", "checkout");
  world.payPage((await current()).pageId!);
  const { kind } = await setCancelAtPeriodEnd(deps(), accountId, true);
  expect([kind, await current()]).toMatchObject(["changed", { state: "active", cancelAtPeriodEnd: true }]);
  expect(await grants()).toEqual([["grant_in_1", "550"]]);
  await passTo(addMonths(START, 1));
  expect(await current()).toMatchObject({ state: "ended", endReason: "canceled" });
});

it("canceled while its renewal is unpaid, it ends at once, and nobody is charged any more", async () => {
  await begin();
  world.setBroke(accountId, true);
  await passTo(addMonths(START, 1));
  setTime(addSeconds(addMonths(START, 1), SETTLED));
  await tendAll();
  await setCancelAtPeriodEnd(deps(), accountId, true);
  expect(await current()).toMatchObject({ state: "ended", endReason: "canceled" });
  expect(await setCancelAtPeriodEnd(deps(), accountId, false)).toEqual({ kind: "subscription_unknown" });
  world.setBroke(accountId, false);
  await passTo(addSeconds(addMonths(START, 1), 3 * DAY));
  await tendAll();
  expect(await current()).toMatchObject({ state: "ended", endReason: "canceled" });
  // What was unused lives on through grace all the same.
  expect(await grants()).toEqual([
    ["grant_in_1", "550"],
    ["grant_grace_in_1", "550"],
  ]);
  expect((await told("subscription_changed")).at(-1)).toBe("Your subscription has ended");
});

it("takes the share of the credits that was paid back, as parts add up, and makes debt of what is spent", async () => {
  await begin("galaxy-year");
  await passTo(addMonths(START, 1));
  await tendAll();
  await one.ledger.submit(command(accountId, { kind: "spend", id: "most", amount: credits("1300") }));
  const twice = (events: BillingEvent[]) => [...events, ...events];
  for (const part of [10_000, 10_000, 20_000]) {
    world.payBack("in_1", part);
    await passTo(one.clock.now(), twice);
  }
  // The first month had expired unused; the second was spent, with 800 of what was bought.
  expect(await balance(one, accountId)).toMatchObject({ available: 0n, owed: credits("300") });
  await passTo(addMonths(START, 2));
  await tendAll();
  // The third month comes, and is taken back with it.
  expect((await grants()).map(([id]) => id)).toEqual(["grant_in_1_1", "grant_in_1_2", "grant_in_1_3"]);
  expect(await balance(one, accountId)).toMatchObject({ available: 0n, owed: credits("300") });
});

it("a dispute freezes what is left of that invoice's credits, also of months still to come; won, all is as it was", async () => {
  await begin("galaxy-year");
  await one.ledger.submit(command(accountId, { kind: "spend", id: "some", amount: credits("120") }));
  const dispute = world.dispute("in_1", 20_000);
  await passTo(one.clock.now(), (events) => [...events, ...events]);
  // Half of a year's price: half of each month, of which 380 are left.
  expect(await balance(one, accountId)).toMatchObject({
    available: credits("1130"),
    held: credits("250"),
    owed: 0n,
  });
  expect(await bought()).toBe(credits("1000"));
  await passTo(addMonths(START, 1));
  await tendAll();
  setTime(addSeconds(addMonths(START, 1), SETTLED));
  // What the first month had left has expired, the frozen part with its hold's end.
  expect(await balance(one, accountId)).toMatchObject({ available: credits("1250"), held: credits("500") });
  world.decide("in_1", dispute, "returned");
  const events = world.takeEvents();
  await Promise.all(
    [...events, ...events].map((event, index) => handle(event, index === 0 ? deps() : depsOfOther())),
  );
  expect(await balance(one, accountId)).toMatchObject({ available: credits("1500"), held: 0n, owed: 0n });
  expect(await told("dispute_opened")).toEqual(["A payment is disputed"]);
  expect(await told("dispute_closed")).toEqual(["A dispute is closed"]);
});

it("a dispute that is lost takes what it froze, and what was spent of its share is owed", async () => {
  await begin();
  await one.ledger.submit(command(accountId, { kind: "spend", id: "most", amount: credits("500") }));
  const dispute = world.dispute("in_1", 4000);
  await passTo(one.clock.now());
  expect(await balance(one, accountId)).toMatchObject({ available: credits("1000"), held: credits("50") });
  world.decide("in_1", dispute, "taken");
  await passTo(one.clock.now(), (events) => [...events, ...events]);
  expect(await balance(one, accountId)).toMatchObject({ available: credits("500"), held: 0n, owed: 0n });
  await passTo(one.clock.now());
  expect(await balance(one, accountId)).toMatchObject({ available: credits("500"), held: 0n, owed: 0n });
});

it("a dispute that is lost after the month's end asks for what was used of it, and not for what it froze", async () => {
  await begin();
  await one.ledger.submit(command(accountId, { kind: "spend", id: "most", amount: credits("500") }));
  const dispute = world.dispute("in_1", 4000);
  await passTo(one.clock.now());
  await passTo(addMonths(START, 1));
  setTime(addSeconds(addMonths(START, 1), SETTLED));
  expect(await balance(one, accountId)).toMatchObject({ available: credits("1550"), held: credits("50") });
  world.decide("in_1", dispute, "taken");
  const events = world.takeEvents();
  await Promise.all(
    [...events, ...events].map((event, index) => handle(event, index === 0 ? deps() : depsOfOther())),
  );
  await passTo(one.clock.now());
  expect(await balance(one, accountId)).toMatchObject({ available: credits("1050"), held: 0n, owed: 0n });
});

it("a refund that fails gives back what it took, once, and the next one takes it again", async () => {
  await begin();
  await one.ledger.submit(command(accountId, { kind: "spend", id: "all", amount: credits("1400") }));
  const first = world.payBack("in_1", 2000);
  const twice = (events: BillingEvent[]) => [...events, ...events];
  await passTo(one.clock.now(), twice);
  // Half of 550, of which nothing was left: 150 of what was bought, and 125 of debt.
  expect(await balance(one, accountId)).toMatchObject({ available: 0n, owed: credits("125") });
  world.decide("in_1", first, "returned");
  await passTo(addSeconds(START, DAY), twice);
  expect((await grants()).at(-1)).toEqual([`grant_refund_failed_${first}_grant_in_1`, "275"]);
  expect(await balance(one, accountId)).toMatchObject({ available: credits("150"), owed: 0n });
  expect(await told("refund")).toEqual(["A payment was paid back", "A refund failed"]);
  world.payBack("in_1", 4000);
  await passTo(one.clock.now(), twice);
  expect(await balance(one, accountId)).toMatchObject({ available: 0n, owed: credits("400") });
  // A refund that had failed before anybody here knew takes nothing and gives nothing.
  const unseen = world.payBack("in_1", 1000);
  world.decide("in_1", unseen, "returned");
  await passTo(one.clock.now(), twice);
  expect(await balance(one, accountId)).toMatchObject({ available: 0n, owed: credits("400") });
});

it("after everything was used, a cheaper plan still comes with the next period, and nothing is owed", async () => {
  await begin();
  await one.ledger.submit(command(accountId, { kind: "spend", id: "all", amount: credits("1550") }));
  const change = { accountId, planId: "orbit", changeId: "down" };
  expect(await previewChange(deps(), accountId, "orbit")).toMatchObject({
    effective: "period_end",
    dueNow: 0,
  });
  expect((await changePlan(deps(), change)).kind).toBe("changed");
  expect(await balance(one, accountId)).toMatchObject({ available: 0n, owed: 0n });
  await passTo(addMonths(START, 1));
  expect(await current()).toMatchObject({ state: "active", renewsAs: "orbit" });
  expect(await balance(one, accountId)).toMatchObject({ available: credits("100"), owed: 0n });
});

it("an invoice whose credits nobody knows holds up nobody else's, and is tried again", async () => {
  await begin("galaxy-year");
  const strange = accountId;
  // Its product was changed at the provider, to one that is no plan of ours.
  const plan = (planId: string | null) =>
    one.pool.query("update subscription_invoices set plan_id = $2 where account_id = $1", [strange, planId]);
  await plan(null);
  accountId = await one.createAccount();
  await begin("galaxy-year");
  setTime(addMonths(START, 1));
  await tendAll();
  expect((await grants()).map(([, amount]) => amount)).toEqual(["500", "500"]);
  await plan("galaxy-year");
  await tendAll();
  setTime(addSeconds(addMonths(START, 1), 600));
  await tendAll();
  accountId = strange;
  expect((await grants()).map(([, amount]) => amount)).toEqual(["500", "500"]);
});

it("knows nothing of subscriptions and invoices that are not its own", async () => {
  expect(await syncSubscription(deps(), "sub_of_somebody")).toEqual({ kind: "ignored" });
  expect(await syncInvoice(deps(), "in_of_somebody")).toEqual({ kind: "ignored" });
});

it("what the provider refuses, to end a plan or to let it go on, is no success", async () => {
  await begin();
  const payments = { ...world.provider.payments, setCancelAtPeriodEnd: async () => undefined };
  const refusing = { ...deps(), payments };
  expect((await setCancelAtPeriodEnd(refusing, accountId, true)).kind).toBe("subscription_refused");
  expect((await setCancelAtPeriodEnd(deps(), accountId, true)).kind).toBe("changed");
  expect((await setCancelAtPeriodEnd(refusing, accountId, false)).kind).toBe("subscription_refused");
  expect((await current()).cancelAtPeriodEnd).toBe(true);
});
