import type { AccountId } from "@bursar/contract/ids";
import { addSeconds, type Instant, parseInstant } from "@bursar/contract/instant";
import { credits } from "@bursar/contract/money";
import { createTestDatabase } from "@bursar/database/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { command, ledgerOn, openTestLedger, type TestLedger } from "../../test/ledger-on-test-database.ts";
import { openExpiryReminders } from "./remind.ts";

const DAY = 86_400;
const START = parseInstant("2027-01-10T08:00:00Z")!;

let one: TestLedger;
let other: ReturnType<typeof ledgerOn>;
beforeAll(async () => {
  one = await openTestLedger(createTestDatabase);
  other = ledgerOn(one.url);
});
afterAll(async () => {
  await other.close();
  await one.close();
});

function setTime(now: Instant): void {
  one.clock.set(now);
  other.clock.set(now);
}

async function walk(remind: () => Promise<number>): Promise<void> {
  while ((await remind()) > 0);
}

async function give(accountId: AccountId, id: string, days: number | null, amount = "10", source = "promo") {
  const expiresAt = days === null ? null : addSeconds(one.clock.now(), days * DAY);
  const facts = { kind: "grant", id, amount: credits(amount), source, expiresAt } as const;
  await one.ledger.submit(command(accountId, facts));
}

/** [day, what each line of the notice was told with] of all notices, the oldest first. */
async function told(accountId: AccountId) {
  const { rows } = await one.pool.query<{
    day: string;
    details: { grants: { grantId: string; days: number }[] };
  }>(
    `select to_char(at, 'YYYY-MM-DD') as day, details from notices
     where account_id = $1 and kind = 'expiry_reminder' and mail_due order by at, notice_id`,
    [accountId],
  );
  return rows.map(({ day, details }) => [
    day,
    ...details.grants.map(({ grantId, days }) => `${grantId} ${days}`),
  ]);
}

it("tells each expiry 30, 7 and 1 days ahead once, a day's in one notice, from two processes at once", async () => {
  setTime(START);
  const [ann, bob] = [await one.createAccount(), await one.createAccount()];
  await give(ann, "long", 45);
  await give(ann, "longer", 45.25);
  await give(ann, "short", 5);
  await give(ann, "lasting", null, "10", "purchase");
  await give(ann, "grant_free_2027-01-10", 31, "500", "free");
  await give(bob, "used", 40);
  await one.ledger.submit(command(bob, { kind: "spend", id: "all", amount: credits("10") }));
  await give(bob, "month", 30, "10", "admin");
  const [first, second] = [openExpiryReminders(one), openExpiryReminders(other)];
  for (let day = 0; day < 50; day++) {
    setTime(addSeconds(START, day * DAY));
    // A process that is started again begins the day's walk again.
    await Promise.all([walk(first), walk(second), walk(openExpiryReminders(one))]);
  }
  // 45 days from the 10th of January: the 24th of February, at 08:00 and at 14:00.
  expect(await told(ann)).toEqual([
    ["2027-01-14", "short 1"],
    ["2027-01-25", "long 30", "longer 30"],
    ["2027-02-17", "long 7", "longer 7"],
    ["2027-02-23", "long 1", "longer 1"],
  ]);
  expect(await told(bob)).toEqual([
    ["2027-02-02", "month 7"],
    ["2027-02-08", "month 1"],
  ]);
  const { rows } = await one.pool.query("select count(*)::int4 as count from expiry_notices");
  expect(rows).toEqual([{ count: 0 }]);
});

it("tells of what rolled over from the monthly quota, which does not come again", async () => {
  const start = addSeconds(START, 200 * DAY);
  setTime(start);
  const dora = await one.createAccount();
  await give(dora, "grant_rollover_2027-06-30", 31, "200", "free");
  await give(dora, "grant_free_2027-07-29", 31, "500", "free");
  const remind = openExpiryReminders(one);
  for (let day = 0; day < 32; day++) {
    setTime(addSeconds(start, day * DAY));
    await walk(remind);
  }
  const lines = (await told(dora)).map(([, ...of]) => of.join());
  expect(lines).toEqual([30, 7, 1].map((days) => `grant_rollover_2027-06-30 ${days}`));
});

it("after an outage tells the nearest reminder alone, and what has ended not at all", async () => {
  const start = addSeconds(START, 400 * DAY);
  setTime(start);
  const carla = await one.createAccount();
  await give(carla, "soon", 60);
  await give(carla, "over", 50);
  const remind = openExpiryReminders(one);
  await walk(remind);
  setTime(addSeconds(start, 55 * DAY));
  await walk(remind);
  expect((await told(carla)).map(([, ...lines]) => lines)).toEqual([["soon 7"]]);
});
