import type { AccountId } from "@bursar/contract/ids";
import { addSeconds, type Instant, parseInstant } from "@bursar/contract/instant";
import { credits, formatCredits } from "@bursar/contract/money";
import { createTestDatabase } from "@bursar/database/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  command,
  ledgerOn,
  openTestLedger,
  silentLog,
  type TestLedger,
} from "../../test/ledger-on-test-database.ts";
import { balance } from "../balance/balance.ts";
import { putQuota } from "./quota.ts";
import { resetIfDue } from "./reset.ts";
import { sweepQuotas } from "./sweep.ts";
import { createWelcomedAccount } from "./welcome.ts";

const DAY = 86_400;
const at = (text: string): Instant => parseInstant(text)!;

let one: TestLedger;
let other: ReturnType<typeof ledgerOn>;
beforeAll(async () => {
  one = await openTestLedger(createTestDatabase);
  // A second process on the same database.
  other = ledgerOn(one.url);
});
afterAll(async () => {
  await other.close();
  await one.close();
});

const deps = () => ({ ...one, log: silentLog });
function setTime(now: Instant): void {
  one.clock.set(now);
  other.clock.set(now);
}

const terms = { credits: credits("500"), rollover: null, by: "admin" };

async function grantsOf(accountId: AccountId) {
  const { rows } = await one.pool.query<{ reference: string; amount: bigint }>(
    `select reference, amount from entries where account_id = $1 and kind = 'grant' order by seq`,
    [accountId],
  );
  return rows.map(({ reference, amount }): [string, string] => [reference, formatCredits(amount)]);
}

const purchase = (accountId: AccountId) =>
  one.ledger.submit(
    command(accountId, {
      kind: "grant",
      id: "bought",
      amount: credits("1000"),
      source: "purchase",
      priority: 80,
    }),
  );
const spend = (accountId: AccountId, amount: string) =>
  one.ledger.submit(
    command(accountId, { kind: "spend", id: `spend ${one.clock.now()}`, amount: credits(amount) }),
  );

it("issues exactly the cycles of two years, with outages and a sweep in two processes each day", async () => {
  const start = at("2027-01-28T06:00:00Z");
  setTime(start);
  const accounts = [28, 29, 30, 31].map((day) => ({ day, id: `acct_day_${day}` as AccountId }));
  for (const { id } of accounts) await one.createAccount(id);
  // Days without any process: the resets of June 2027, and February 2028 up to the 27th.
  const isDown = (day: string) =>
    (day >= "2027-06-27" && day <= "2027-07-02") || (day >= "2028-01-27" && day <= "2028-02-27");
  for (let count = 0; count < 730; count++) {
    const now = addSeconds(start, count * DAY);
    setTime(now);
    const day = new Date(now / 1000).toISOString().slice(0, 10);
    for (const account of accounts) {
      if (day === `2027-01-${account.day}`) await putQuota(deps(), { ...terms, accountId: account.id });
    }
    if (isDown(day)) continue;
    await Promise.all([sweepQuotas(deps()), sweepQuotas({ ...other, log: silentLog })]);
  }
  const months28 = (skipped: readonly string[]) =>
    Array.from({ length: 24 }, (_, index) => {
      const [year, month] = [2027 + Math.floor(index / 12), (index % 12) + 1];
      return `${year}-${String(month).padStart(2, "0")}`;
    }).filter((month) => !skipped.includes(month));
  const lastDay = (month: string) => new Date(Date.UTC(+month.slice(0, 4), +month.slice(5), 0)).getUTCDate();
  for (const { day, id } of accounts) {
    // An outage of days delays a cycle; one that outlasts a cycle loses it, as the 28th of January 2028 did not.
    const expected = months28([]).map((month) => {
      const date = String(Math.min(day, lastDay(month))).padStart(2, "0");
      return [`grant_free_${month}-${date}`, "500"];
    });
    const isLost = ([name]: string[]) => day === 28 && name === "grant_free_2028-01-28";
    expect(await grantsOf(id)).toEqual(expected.filter((grant) => !isLost(grant)));
    expect((await balance(one, id))?.available).toBe(credits("500"));
  }
}, 60_000);

it("issues a cycle once, whoever asks at once, and again after a crash before the end", async () => {
  setTime(at("2030-01-31T00:00:00Z"));
  const accountId = await one.createAccount("acct_once" as AccountId);
  await purchase(accountId);
  await putQuota(deps(), { ...terms, accountId });
  setTime(at("2030-02-28T00:00:00Z"));
  const both = [deps(), { ...other, log: silentLog }];
  await Promise.all(Array.from({ length: 40 }, (_, index) => resetIfDue(both[index % 2]!, accountId)));
  const issued = [
    ["bought", "1000"],
    ["grant_free_2030-01-31", "500"],
    ["grant_free_2030-02-28", "500"],
  ];
  expect(await grantsOf(accountId)).toEqual(issued);
  // As if the process had died after the grant: the terms have changed since, the cycle's grant has not.
  await one.pool.query(
    `update quotas set issued_cycle = 0, next_reset_at = '2030-02-28', credits = 7 where account_id = $1`,
    [accountId],
  );
  expect(await resetIfDue(deps(), accountId)).toMatchObject({ kind: "reset", granted: credits("500") });
  expect(await resetIfDue(deps(), accountId)).toMatchObject({ kind: "not_due" });
  expect(await grantsOf(accountId)).toEqual(issued);
  expect((await balance(one, accountId))?.available).toBe(credits("1500"));
});

it("lets exactly what expired live on, up to the cap and until its own expiry", async () => {
  setTime(at("2031-01-30T00:00:00Z"));
  const accountId = await one.createAccount("acct_rollover" as AccountId);
  await putQuota(deps(), { ...terms, accountId, rollover: { cap: credits("200"), months: 1 } });
  // Ends at the same instant as the cycle: no part of what rolls over.
  await one.ledger.submit(
    command(accountId, {
      kind: "grant",
      id: "promo",
      amount: credits("50"),
      expiresAt: at("2031-02-28T00:00:00Z"),
    }),
  );
  await spend(accountId, "380.000001");
  setTime(at("2031-02-28T00:00:00Z"));
  // Whoever comes first expires both grants; the reset still finds what each had left.
  await spend(accountId, "0");
  expect(await resetIfDue(deps(), accountId)).toMatchObject({ rolledOver: credits("119.999999") });
  expect((await balance(one, accountId))?.available).toBe(credits("619.999999"));
  // Next, nothing is spent: the cap holds, and what rolled over before does not roll over again.
  setTime(at("2031-03-30T00:00:00Z"));
  expect(await resetIfDue(deps(), accountId)).toMatchObject({ rolledOver: credits("200") });
  expect((await balance(one, accountId))?.available).toBe(credits("700"));
  expect((await grantsOf(accountId)).map(([name]) => name)).toEqual([
    "grant_free_2031-01-30",
    "promo",
    "grant_rollover_2031-01-30",
    "grant_free_2031-02-28",
    "grant_rollover_2031-02-28",
    "grant_free_2031-03-30",
  ]);
});

it("pays a debt with the cycle's credits first, and gives a frozen account its cycle", async () => {
  setTime(at("2032-05-01T00:00:00Z"));
  const accountId = await one.createAccount("acct_debt" as AccountId);
  await purchase(accountId);
  await spend(accountId, "1000");
  await one.ledger.submit(
    command(accountId, {
      kind: "revoke",
      id: "refund",
      grantId: "bought",
      amount: credits("1000"),
    }),
  );
  await one.ledger.submit(command(accountId, { kind: "freeze", id: "freeze" }));
  await putQuota(deps(), { ...terms, accountId });
  expect(await balance(one, accountId)).toMatchObject({ available: 0n, owed: credits("500"), frozen: true });
});

it("welcomes a newcomer once, and after a crash all the same", async () => {
  setTime(at("2033-01-31T00:00:00Z"));
  const welcome = { starter: credits("50"), monthly: credits("500") };
  const account = { id: "acct_new" as AccountId, name: "New" };
  await Promise.all([1, 2, 3].map(() => createWelcomedAccount(deps(), account, welcome)));
  expect(await grantsOf(account.id)).toEqual([
    ["grant_starter", "50"],
    ["grant_free_2033-01-31", "500"],
  ]);
  // The process that made this account could not reach the ledger.
  const unreachable = { ...one.ledger, submit: () => Promise.reject(new Error("down")) };
  const unlucky = { id: "acct_unlucky" as AccountId, name: "Unlucky" };
  await createWelcomedAccount({ ...deps(), ledger: unreachable }, unlucky, welcome);
  expect(await grantsOf(unlucky.id)).toEqual([]);
  await sweepQuotas(deps());
  await sweepQuotas(deps());
  expect(new Map(await grantsOf(unlucky.id))).toEqual(
    new Map([
      ["grant_starter", "50"],
      ["grant_free_2033-01-31", "500"],
    ]),
  );
  expect(await grantsOf(unlucky.id)).toHaveLength(2);
  const nothing = { id: "acct_nothing" as AccountId, name: "Nothing" };
  await createWelcomedAccount(deps(), nothing, { starter: 0n, monthly: 0n });
  await sweepQuotas(deps());
  expect(await grantsOf(nothing.id)).toEqual([]);
});

it("an account whose month cannot be begun keeps no newcomer's starter credits waiting", async () => {
  setTime(at("2026-03-01T00:00:00Z"));
  const broken = await one.createAccount();
  await purchase(broken);
  await putQuota(deps(), { ...terms, accountId: broken });
  // Its next entry would be the first a second time.
  const shift = (by: number) =>
    one.pool.query("update accounts set seq = seq + $2 where account_id = $1", [broken, by]);
  await shift(-1);
  setTime(at("2026-04-02T00:00:00Z"));
  const away = () => Promise.reject(new Error("the database is away"));
  const newcomer = "acct_newcomer" as AccountId;
  const welcome = { starter: credits("50"), monthly: 0n };
  await createWelcomedAccount(
    { ...deps(), ledger: { ...one.ledger, submit: away } },
    { id: newcomer, name: "" },
    welcome,
  );
  expect(await grantsOf(newcomer)).toEqual([]);
  await expect(sweepQuotas(deps())).rejects.toThrow("did not take this command");
  expect(await grantsOf(newcomer)).toEqual([["grant_starter", "50"]]);
  await shift(1);
});
