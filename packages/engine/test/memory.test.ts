/** What a lane remembers of its accounts is a guess. Each test lets something happen behind its back, and the answer is
 *  the one that reading would have given. */
import type { AccountId } from "@bursar/contract/ids";
import { formatPostgresTimestamp } from "@bursar/contract/instant";
import { createTestDatabase } from "@bursar/database/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { verifyLedger } from "../src/ledger/verify.ts";
import { clientsOf, command, ledgerOn, openTestLedger, type TestLedger } from "./ledger-on-test-database.ts";

type Loose = Parameters<typeof command>[1];

let test: TestLedger;
let other: ReturnType<typeof ledgerOn>;
let id: AccountId;
const here = (loose: Loose) => test.ledger.submit(command(id, loose));
const there = (loose: Loose) => other.ledger.submit(command(id, loose));

beforeAll(async () => {
  const settings = { planAheadFrom: 1 };
  test = await openTestLedger(createTestDatabase, { lanes: 1, settings });
  other = ledgerOn(test.url, { lanes: 1, clock: test.clock, settings });
});
afterAll(async () => {
  expect((await verifyLedger(test.connect)).problems).toEqual([]);
  await other.close();
  await test.close();
});

/** An account that this lane remembers, with 100 granted, 1 spent and 9 held. */
beforeEach(async () => {
  id = await test.createAccount();
  await here({ kind: "grant", id: "g", amount: 100n });
  await here({ kind: "spend", id: "first", amount: 1n });
  await here({ kind: "hold", id: "h", amount: 9n });
});

describe("another process", () => {
  it("spent what this one remembers: the next spend is refused", async () => {
    await there({ kind: "spend", id: "theirs", amount: 90n });
    expect(await here({ kind: "spend", id: "ours", amount: 1n })).toMatchObject({
      kind: "insufficient_credits",
      available: 0n,
    });
  });

  it("granted what this one does not remember: the next spend is done", async () => {
    await there({ kind: "grant", id: "more", amount: 50n });
    expect(await here({ kind: "spend", id: "ours", amount: 140n })).toMatchObject({
      kind: "done",
      result: { available: 0n },
    });
  });

  it("closed the hold: settling it again here tells the first result", async () => {
    await there({ kind: "settle", holdId: "h", amount: 4n });
    expect(await here({ kind: "settle", holdId: "h", amount: 9n })).toMatchObject({
      kind: "duplicate",
      result: { charged: 4n },
    });
  });

  it("opened a child: closing the hold here closes the child too", async () => {
    await there({ kind: "hold", id: "child", parentId: "h", amount: 3n });
    expect(await here({ kind: "release", holdId: "h" })).toMatchObject({
      kind: "done",
      result: { held: 0n },
    });
    expect(await there({ kind: "settle", holdId: "child", amount: 3n })).toMatchObject({
      kind: "hold_closed",
    });
  });

  it("used the key: the same command is a repetition, another body a conflict", async () => {
    await there({ kind: "spend", id: "k", amount: 5n });
    const [same, different] = await Promise.all([
      here({ kind: "spend", id: "k", amount: 5n }),
      here({ kind: "spend", id: "k", amount: 6n }),
    ]);
    expect(same).toMatchObject({ kind: "duplicate", result: { charged: 5n } });
    expect(different).toMatchObject({ kind: "key_conflict" });
  });

  it("used up the cap: the next use is refused", async () => {
    const caps = [{ id: "cap", limit: 10n, window: "total" }];
    await here({ kind: "spend", id: "capped", amount: 2n, caps });
    await there({ kind: "spend", id: "theirs", amount: 8n, caps });
    expect(await here({ kind: "spend", id: "ours", amount: 1n, caps })).toMatchObject({
      kind: "cap_exceeded",
      used: 10n,
    });
  });

  it("froze the account: nothing more is spent", async () => {
    await there({ kind: "freeze", id: "f" });
    expect(await here({ kind: "spend", id: "ours", amount: 1n })).toMatchObject({ kind: "account_frozen" });
  });
});

describe("a history that was lost is not believed, though another one is as long:", () => {
  it.each([
    ["the connection was lost as well", true],
    ["the connection stays", false],
  ])("%s", async (_, isCut) => {
    const superuser = clientsOf(test.url)();
    await superuser.connect();
    await superuser.query(`create temp table saved as select * from accounts where account_id = '${id}'`);
    expect(await here({ kind: "spend", id: "lost", amount: 10n })).toMatchObject({ kind: "done" });
    // As after a failover to a standby that was a commit behind.
    await superuser.query(`delete from entries e using saved s
      where e.account_id = s.account_id and e.seq = s.seq + 1`);
    await superuser.query(`update accounts a
      set available = s.available, spent = s.spent, grants = s.grants, seq = s.seq, hash = s.hash
      from saved s where a.account_id = s.account_id`);
    if (isCut)
      await superuser.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and application_name = 'test-lane' and pid <> pg_backend_pid()`,
      );
    await superuser.end();
    expect(await there({ kind: "spend", id: "theirs", amount: 60n })).toMatchObject({ kind: "done" });
    expect(await here({ kind: "spend", id: "ours", amount: 80n })).toMatchObject({
      kind: "insufficient_credits",
    });
    expect((await verifyLedger(test.connect)).problems).toEqual([]);
  });
});

it("a repetition that would be refused by now still hears its first result", async () => {
  await here({ kind: "spend", id: "all", amount: 90n });
  expect(await here({ kind: "spend", id: "all", amount: 90n })).toMatchObject({ kind: "duplicate" });
});

it("a key revoked or expired behind the lane's back spends nothing", async () => {
  await test.pool.query(
    `insert into api_keys (key_id, account_id, name, prefix, secret_hash, created_at, created_by)
     values ('key_memory', $1, 'k', 'k', '\\x15', now(), 'test')`,
    [id],
  );
  const spend = (name: string) => here({ kind: "spend", id: name, amount: 1n, keyId: "key_memory" });
  expect(await spend("a")).toMatchObject({ kind: "done" });
  await test.pool.query("update api_keys set expires_at = $1 where key_id = 'key_memory'", [
    formatPostgresTimestamp(test.clock.now()),
  ]);
  expect(await spend("b")).toMatchObject({ kind: "key_expired" });
  await test.pool.query("update api_keys set revoked_at = now() where key_id = 'key_memory'");
  expect(await spend("c")).toMatchObject({ kind: "key_revoked" });
  expect(await spend("a")).toMatchObject({ kind: "duplicate" });
});

it("an alert set behind the lane's back is heard", async () => {
  await test.pool.query("update accounts set alert_below = 80 where account_id = $1", [id]);
  await here({ kind: "spend", id: "ours", amount: 20n });
  const { rows } = await test.pool.query("select kind from effects where account_id = $1", [id]);
  expect(rows).toEqual([{ kind: "balance_low" }]);
});

it("a refusal in the middle of a batch leaves the order on its account: what came after is decided after", async () => {
  const outcomes = await Promise.all([
    here({ kind: "spend", id: "1", amount: 50n }),
    here({ kind: "spend", id: "2", amount: 60n }),
    here({ kind: "release", holdId: "h" }),
    here({ kind: "spend", id: "4", amount: 49n }),
    here({ kind: "spend", id: "5", amount: 1n }),
  ]);
  expect(outcomes.map(({ kind }) => kind)).toEqual([
    ...["done", "insufficient_credits", "done", "done", "insufficient_credits"],
  ]);
});

it("a lane that remembers few accounts answers for many", async () => {
  const small = ledgerOn(test.url, { lanes: 1, clock: test.clock, settings: { knownAccounts: 2 } });
  const ids = await Promise.all(Array.from({ length: 9 }, () => test.createAccount()));
  const all = (loose: Loose) => Promise.all(ids.map((one) => small.ledger.submit(command(one, loose))));
  await all({ kind: "grant", id: "g", amount: 10n });
  for (const name of ["a", "b", "c"]) await all({ kind: "spend", id: name, amount: 3n });
  const last = await all({ kind: "spend", id: "d", amount: 3n });
  expect(last.map(({ kind }) => kind)).toEqual(ids.map(() => "insufficient_credits"));
  await small.close();
});
