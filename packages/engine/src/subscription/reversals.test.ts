import { readFile } from "node:fs/promises";
import { addMonths } from "@bursar/contract/calendar";
import type { AccountId } from "@bursar/contract/ids";
import { addSeconds, type Instant, parseInstant } from "@bursar/contract/instant";
import { credits } from "@bursar/contract/money";
import { priceBookBody } from "@bursar/contract/operations/prices";
import { createTestDatabase } from "@bursar/database/testing";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { type BillingWorld, openBillingWorld, pricesOf } from "../../test/billing-world.ts";
import {
  command,
  openTestLedger,
  resultOf,
  silentLog,
  type TestLedger,
} from "../../test/ledger-on-test-database.ts";
import { balance } from "../balance/balance.ts";
import { verifyLedger } from "../ledger/verify.ts";
import { readPolicy } from "../topup/store-policies.ts";
import { noteReversals } from "./note-reversals.ts";
import { findInvoice } from "./store-invoices.ts";
import { readReversals } from "./store-reversals.ts";
import { subscribe } from "./subscribe.ts";
import { syncInvoice, syncSubscription } from "./sync.ts";
import { tendSubscriptions } from "./tend.ts";

const START = parseInstant("2027-01-31T09:00:00Z")!;
const MIGRATION = new URL("../../migrations/0027_invoices_paid_back_before.sql", import.meta.url);

const prices = pricesOf(
  priceBookBody.parse({
    models: {},
    plans: [
      { id: "galaxy", name: "Galaxy", credits: "500", bonus: "50", prices: { eur: 4000 } },
      { id: "galaxy-year", name: "Galaxy", interval: "year", credits: "500", prices: { eur: 40_000 } },
    ],
  }),
);

let one: TestLedger;
let world: BillingWorld;
let accountId: AccountId;
beforeAll(async () => {
  one = await openTestLedger(createTestDatabase);
});
afterAll(() => one.close());
beforeEach(async () => {
  one.clock.set(START);
  world = openBillingWorld(one.clock);
  // Earlier tests' worlds are gone, and with them whom to ask.
  await one.pool.query("update subscriptions set due_at = null");
  accountId = await one.createAccount();
});

const deps = () => ({ ...one, ...world.provider, prices, log: silentLog });
const submit = async (loose: Parameters<typeof command>[1]) =>
  resultOf(await one.ledger.submit(command(accountId, loose)));

async function hear(): Promise<void> {
  for (const { kind, id } of world.takeEvents())
    await (kind === "invoice" ? syncInvoice(deps(), id) : syncSubscription(deps(), id));
}
async function tendAll(): Promise<void> {
  while ((await tendSubscriptions(deps())) > 0);
}
async function passTo(now: Instant): Promise<void> {
  one.clock.set(now);
  world.tick();
  await hear();
  await tendAll();
}
const begin = async (planId: string) => {
  await subscribe(deps(), {
    ...{ accountId, id: undefined, planId, currency: "eur", method: "default", returnUrl: null, by: "test" },
  });
  await hear();
};
async function figures(): Promise<string[]> {
  const { available, held, owed } = (await balance(one, accountId))!;
  return [available, held, owed].map((amount) => String(amount / 1_000_000n));
}

/** As a version left it that knew of an invoice only how much was paid back; then the migration. */
async function upgrade(paidBack: number, taken: Readonly<Record<string, string>>): Promise<void> {
  for (const [grantId, amount] of Object.entries(taken)) {
    const id = `refund:${grantId}:${paidBack}`;
    await submit({ kind: "revoke", id, asked: id, grantId, amount: credits(amount) });
  }
  await one.pool.query("update subscription_invoices set taken_back = $2 where account_id = $1", [
    accountId,
    paidBack,
  ]);
  await one.pool.query("alter table subscription_reversal_draws drop column already");
  await one.pool.query(await readFile(MIGRATION, "utf8"));
}

it.each([
  ["a part", 2000, "275"],
  ["all", 4000, "550"],
])(
  "what was paid back before the upgrade, %s, is taken once, and given back once where it fails",
  async (_name, paidBack, taken) => {
    await begin("galaxy");
    await submit({ kind: "spend", id: "some", amount: credits("100") });
    const refund = world.payBack("in_1", paidBack);
    world.takeEvents();
    await upgrade(paidBack, { grant_in_1: taken });
    const left = await figures();
    await syncInvoice(deps(), "in_1");
    await syncInvoice(deps(), "in_1");
    expect(await figures()).toEqual(left);
    world.decide("in_1", refund, "returned");
    await hear();
    await hear();
    expect(await figures()).toEqual(["450", "0", "0"]);
  },
);

it("of a second refund after the upgrade only its own share is taken; a first that failed meanwhile comes back", async () => {
  await begin("galaxy");
  const first = world.payBack("in_1", 1000);
  await upgrade(1000, { grant_in_1: "137.5" });
  world.payBack("in_1", 1000);
  await hear();
  expect(await figures()).toEqual(["275", "0", "0"]);

  accountId = await one.createAccount();
  world = openBillingWorld(one.clock);
  await begin("galaxy");
  const failed = world.payBack("in_1", 4000);
  await upgrade(4000, { grant_in_1: "550" });
  world.decide("in_1", failed, "returned");
  await hear();
  expect(first).not.toBe(failed);
  expect(await figures()).toEqual(["550", "0", "0"]);
});

it("a year that was paid back before the upgrade drips no more, before and after the provider says by which refund", async () => {
  await begin("galaxy-year");
  const refund = world.payBack("in_1", 40_000);
  world.takeEvents();
  await upgrade(40_000, { grant_in_1_1: "500" });
  for (const month of [1, 2]) {
    await passTo(addMonths(START, month));
    expect(await figures()).toEqual(["0", "0", "0"]);
  }
  await syncInvoice(deps(), "in_1");
  await passTo(addMonths(START, 3));
  expect(await figures()).toEqual(["0", "0", "0"]);
  // Only the month that is running has anything to come back to.
  world.decide("in_1", refund, "returned");
  await hear();
  expect((await figures()).slice(1)).toEqual(["0", "0"]);
  expect(Number((await figures())[0])).toBeGreaterThanOrEqual(500);
});

it("what an administrator took of a month is not taken again by its refund", async () => {
  await begin("galaxy");
  await submit({ kind: "revoke", id: "by hand", grantId: "grant_in_1", amount: credits("550") });
  world.payBack("in_1", 4000);
  await hear();
  expect(await figures()).toEqual(["0", "0", "0"]);
});

it("what work gives back of a disputed month is frozen too, and goes with the dispute", async () => {
  await begin("galaxy");
  for (const id of ["hold_a", "hold_b"]) await submit({ kind: "hold", id, amount: credits("150") });
  const dispute = world.dispute("in_1", 4000);
  await hear();
  expect(await figures()).toEqual(["0", "550", "0"]);
  for (const holdId of ["hold_a", "hold_b"]) {
    await submit({ kind: "release", holdId });
    expect(await figures()).toEqual(["150", "400", "0"]);
    await tendAll();
    expect(await figures()).toEqual(["0", "550", "0"]);
  }
  world.decide("in_1", dispute, "taken");
  await hear();
  await tendAll();
  expect(await figures()).toEqual(["0", "0", "0"]);
});

it("of a part that is disputed no more than the part is frozen, whatever work gives back, and won, all is free", async () => {
  await begin("galaxy");
  await submit({ kind: "hold", id: "hold_c", amount: credits("400") });
  const dispute = world.dispute("in_1", 2000);
  await hear();
  expect(await figures()).toEqual(["0", "550", "0"]);
  await submit({ kind: "release", holdId: "hold_c" });
  await Promise.all([tendSubscriptions(deps()), tendSubscriptions(deps())]);
  await tendAll();
  expect(await figures()).toEqual(["275", "275", "0"]);
  one.clock.set(addSeconds(START, 60));
  world.decide("in_1", dispute, "returned");
  await hear();
  await tendAll();
  expect(await figures()).toEqual(["550", "0", "0"]);
});

/** To the time in which the renewal of a plan, of which `spent` was used, stays unpaid: 550 credits less these are left. */
async function grace(spent: string, before: () => void = () => undefined): Promise<void> {
  await begin("galaxy");
  await submit({ kind: "spend", id: "some", amount: credits(spent) });
  before();
  world.setBroke(accountId, true);
  await passTo(addMonths(START, 1));
  await passTo(addSeconds(addMonths(START, 1), 2 * 3600));
}
/** Whatever comes again, and whoever looks again, changes nothing. */
async function settled(): Promise<string[]> {
  await hear();
  const found = await figures();
  for (let again = 0; again < 2; again++) {
    await Promise.all([syncInvoice(deps(), "in_1"), syncInvoice(deps(), "in_1"), tendSubscriptions(deps())]);
    await tendAll();
    expect(await figures()).toEqual(found);
  }
  return found;
}

it("a refund takes what lives on through grace, and what was spent becomes debt", async () => {
  await grace("130");
  expect(await settled()).toEqual(["420", "0", "0"]);
  await submit({ kind: "spend", id: "in grace", amount: credits("20") });
  world.payBack("in_1", 4000);
  expect(await settled()).toEqual(["0", "0", "150"]);
  await passTo(addMonths(START, 2));
  expect(await settled()).toEqual(["0", "0", "150"]);
});

it("refunds before and in grace take their shares of the whole month, grace first, and one that fails gives back its own", async () => {
  await grace("130", () => world.payBack("in_1", 1000));
  // A quarter of 550, of what was left of the month.
  expect(await settled()).toEqual(["282", "0", "0"]);
  await submit({ kind: "grant", id: "gift", amount: credits("30"), source: "free", priority: 20 });
  const second = world.payBack("in_1", 2000);
  expect(await settled()).toEqual(["37", "0", "0"]);
  const { grants } = (await balance(one, accountId))!;
  expect(grants.map(({ id, remaining }) => [id, remaining])).toEqual([
    ["gift", credits("30")],
    ["grant_grace_in_1", credits("7.5")],
  ]);
  world.decide("in_1", second, "returned");
  expect(await settled()).toEqual(["312", "0", "0"]);
  world.payBack("in_1", 3000);
  expect(await settled()).toEqual(["0", "0", "100"]);
});

it("what was unused when grace ended is asked for by no later refund", async () => {
  await grace("130");
  await submit({ kind: "spend", id: "in grace", amount: credits("20") });
  await passTo(addSeconds(addMonths(START, 1), 9 * 86_400));
  expect(await settled()).toEqual(["0", "0", "0"]);
  world.payBack("in_1", 2000);
  expect(await settled()).toEqual(["0", "0", "75"]);
});

it("a refund between the month's end and a grace that begins late takes its share of both", async () => {
  await begin("galaxy");
  await submit({ kind: "spend", id: "some", amount: credits("130") });
  // The provider is hours late with the renewal.
  one.clock.set(addSeconds(addMonths(START, 1), 3 * 3600));
  world.payBack("in_1", 2000);
  expect(await settled()).toEqual(["0", "0", "65"]);
  world.setBroke(accountId, true);
  await passTo(one.clock.now());
  expect(await settled()).toEqual(["145", "0", "0"]);
  world.payBack("in_1", 2000);
  expect(await settled()).toEqual(["0", "0", "130"]);
});

it.each([
  ["won, it is free", "returned", ["420", "0", "0"]],
  ["lost, it goes, and what was spent is owed", "taken", ["0", "0", "130"]],
] as const)(
  "a dispute in grace freezes what lives on, also what work gives back; %s",
  async (_name, state, left) => {
    await grace("130");
    await submit({ kind: "hold", id: "hold_g", amount: credits("100") });
    const dispute = world.dispute("in_1", 4000);
    await hear();
    await submit({ kind: "release", holdId: "hold_g" });
    expect(await figures()).toEqual(["100", "320", "0"]);
    await tendAll();
    expect(await settled()).toEqual(["0", "420", "0"]);
    world.decide("in_1", dispute, state);
    expect(await settled()).toEqual(left);
  },
);

it("what the month itself has frozen of a disputed share is not frozen of its grace again", async () => {
  await grace("100", () => world.dispute("in_1", 2000));
  expect(await settled()).toEqual(["175", "275", "0"]);
});

it("what an administrator took of grace is not taken again", async () => {
  await grace("130");
  await submit({ kind: "revoke", id: "by hand", grantId: "grant_grace_in_1", amount: credits("300") });
  world.payBack("in_1", 4000);
  expect(await settled()).toEqual(["0", "0", "130"]);
});

it("grace of a year's last month goes with the year's refund, and no other month with it", async () => {
  await begin("galaxy-year");
  await passTo(addMonths(START, 11));
  world.setBroke(accountId, true);
  await passTo(addMonths(START, 12));
  await passTo(addSeconds(addMonths(START, 12), 2 * 3600));
  expect(Number((await settled())[0])).toBeGreaterThanOrEqual(500);
  world.payBack("in_1", 40_000);
  expect(await settled()).toEqual(["0", "0", "0"]);
});

it("a dispute that was won and is taken up again freezes what is left, as the first time; lost then, it goes", async () => {
  await begin("galaxy");
  const dispute = world.dispute("in_1", 4000);
  await hear();
  world.decide("in_1", dispute, "returned");
  expect(await settled()).toEqual(["550", "0", "0"]);
  await submit({ kind: "spend", id: "some", amount: credits("100") });
  world.decide("in_1", dispute, "open");
  expect(await settled()).toEqual(["0", "450", "0"]);
  world.decide("in_1", dispute, "taken");
  expect(await settled()).toEqual(["0", "0", "100"]);
  // While the bank looks again at what was lost, what was taken stays taken.
  world.decide("in_1", dispute, "open");
  expect(await settled()).toEqual(["0", "0", "100"]);
  world.decide("in_1", dispute, "returned");
  expect(await settled()).toEqual(["450", "0", "0"]);
  world.decide("in_1", dispute, "open");
  expect(await settled()).toEqual(["0", "450", "0"]);
  world.decide("in_1", dispute, "returned");
  expect(await settled()).toEqual(["450", "0", "0"]);
});

it("what was frozen while a dispute was being won, by a process that has died since, is free again", async () => {
  await begin("galaxy");
  const dispute = world.dispute("in_1", 4000);
  await hear();
  world.decide("in_1", dispute, "returned");
  expect(await settled()).toEqual(["550", "0", "0"]);
  const late = { kind: "hold", id: `hold_dispute_${dispute}_grant_in_1:1`, grantId: "grant_in_1" } as const;
  await submit({ ...late, amount: credits("550"), expiresAt: null });
  expect(await figures()).toEqual(["0", "550", "0"]);
  await tendAll();
  expect(await figures()).toEqual(["550", "0", "0"]);
});

it("credits that came again, after a refund that failed, are frozen by a later dispute, also what work gives back", async () => {
  await begin("galaxy");
  const refund = world.payBack("in_1", 2000);
  await hear();
  world.decide("in_1", refund, "returned");
  expect(await settled()).toEqual(["550", "0", "0"]);
  await submit({ kind: "hold", id: "hold_r", amount: credits("100") });
  const dispute = world.dispute("in_1", 4000);
  expect(await settled()).toEqual(["0", "550", "0"]);
  await submit({ kind: "release", holdId: "hold_r" });
  await tendAll();
  expect(await settled()).toEqual(["0", "550", "0"]);
  world.decide("in_1", dispute, "taken");
  expect(await settled()).toEqual(["0", "0", "0"]);
});

it("of a part that is disputed, what came again has frozen is not frozen of what work gives back again", async () => {
  await begin("galaxy");
  const refund = world.payBack("in_1", 2000);
  await hear();
  world.decide("in_1", refund, "returned");
  expect(await settled()).toEqual(["550", "0", "0"]);
  await submit({ kind: "hold", id: "hold_s", amount: credits("200") });
  world.dispute("in_1", 2000);
  expect(await settled()).toEqual(["75", "475", "0"]);
  await submit({ kind: "release", holdId: "hold_s" });
  expect(await settled()).toEqual(["275", "275", "0"]);
});

it("a dispute that is taken up again in grace freezes what lives on and what came again", async () => {
  await begin("galaxy");
  const [refund, dispute] = [world.payBack("in_1", 1000), world.dispute("in_1", 3000)];
  await hear();
  world.decide("in_1", refund, "returned");
  world.decide("in_1", dispute, "returned");
  expect(await settled()).toEqual(["550", "0", "0"]);
  world.setBroke(accountId, true);
  await passTo(addMonths(START, 1));
  await passTo(addSeconds(addMonths(START, 1), 2 * 3600));
  expect(await settled()).toEqual(["550", "0", "0"]);
  world.decide("in_1", dispute, "open");
  expect(await settled()).toEqual(["137", "412", "0"]);
  world.decide("in_1", dispute, "taken");
  expect(await settled()).toEqual(["137", "0", "0"]);
});

it("what came again and expired unused is asked for by no later dispute", async () => {
  await begin("galaxy");
  const refund = world.payBack("in_1", 4000);
  await hear();
  world.decide("in_1", refund, "returned");
  expect(await settled()).toEqual(["550", "0", "0"]);
  await submit({ kind: "spend", id: "some", amount: credits("50") });
  await passTo(addMonths(START, 3));
  const before = await settled();
  const dispute = world.dispute("in_1", 4000);
  await hear();
  world.decide("in_1", dispute, "taken");
  const [available, , owed] = await settled();
  expect(Number(available) - Number(owed)).toBe(Number(before[0]) - 50);
});

it("what was read of a dispute before others changed it changes nothing, and is read again", async () => {
  await begin("galaxy");
  const dispute = world.dispute("in_1", 4000);
  const records = async () => (await world.provider.payments.invoice("in_1"))!.reversals!;
  await hear();
  const invoice = (await findInvoice(one.pool, accountId, "in_1"))!;
  const [open, seen] = [await records(), await readReversals(one.pool, invoice)];
  world.decide("in_1", dispute, "returned");
  expect(await settled()).toEqual(["550", "0", "0"]);
  expect(await noteReversals(deps(), invoice, open, seen)).toBe(false);
  expect(await noteReversals(deps(), invoice, await records(), seen)).toBe(true);
  expect(await settled()).toEqual(["550", "0", "0"]);
});

it("a refund while a dispute is open takes what is frozen, and neither other credits nor debt", async () => {
  await begin("galaxy");
  await submit({ kind: "grant", id: "own", amount: credits("300"), source: "promo" });
  world.dispute("in_1", 4000);
  expect(await settled()).toEqual(["300", "550", "0"]);
  world.payBack("in_1", 2000);
  expect(await settled()).toEqual(["300", "275", "0"]);
  world.payBack("in_1", 2000);
  expect(await settled()).toEqual(["300", "0", "0"]);
});

it("auto top-up waits until what a dispute had frozen is free again", async () => {
  await begin("galaxy");
  await one.pool.query(
    `insert into topup_policies (account_id, enabled, mode, threshold, credits, currency, daily_cap, monthly_cap,
       updated_at, updated_by) values ($1, true, 'target', 500000000, 1000000000, 'eur', 9000, 9000, now(), 'test')`,
    [accountId],
  );
  const isSuspended = async () => (await readPolicy(one.pool, accountId))!.isSuspended;
  const dispute = world.dispute("in_1", 4000);
  await hear();
  const invoice = (await findInvoice(one.pool, accountId, "in_1"))!;
  world.decide("in_1", dispute, "returned");
  // Noted, and not yet done: whoever looks at the balance here sees a need that is none.
  const now = (await world.provider.payments.invoice("in_1"))!.reversals!;
  await noteReversals(deps(), invoice, now, await readReversals(one.pool, invoice));
  expect([await figures(), await isSuspended()]).toEqual([["0", "550", "0"], true]);
  await hear();
  expect([await figures(), await isSuspended()]).toEqual([["550", "0", "0"], false]);
});

it("after all of this the ledger proves itself", async () => {
  expect((await verifyLedger(one.connect)).problems).toEqual([]);
});
