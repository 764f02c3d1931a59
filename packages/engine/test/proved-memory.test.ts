/** What the ledger remembers of accounts is believed only as far as the database proves it. */
import type { AccountId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import { createTestDatabase } from "@bursar/database/testing";
import type pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Ledger } from "../src/ledger/ledger.ts";
import { LOAD_STATEMENTS } from "../src/ledger/store-load.ts";
import { verifyLedger } from "../src/ledger/verify.ts";
import { clientsOf, command, ledgerOn, openTestLedger, type TestLedger } from "./ledger-on-test-database.ts";

let test: TestLedger;
let superuser: pg.Client;
beforeAll(async () => {
  test = await openTestLedger(createTestDatabase);
  superuser = clientsOf(test.url)();
  await superuser.connect();
});
afterAll(async () => {
  await superuser.end();
  await test.close();
});

const ask = async (ledger: Ledger, accountId: AccountId, loose: Parameters<typeof command>[1]) =>
  (await ledger.submit(command(accountId, loose))).kind;

const problems = async () => (await verifyLedger(test.connect)).problems;

it("a command that fails while it is chained leaves no line behind", async () => {
  const id = await test.createAccount();
  const { ledger, clock } = test;
  await ask(ledger, id, { kind: "grant", id: "whole", amount: 100n });
  const expiresAt = (clock.now() + 1_000_000) as Instant;
  await ask(ledger, id, { kind: "grant", id: "short", amount: 50n, expiresAt });
  clock.advance(2_000_000);
  // Its expiry is no time at all: the expiry of "short", which goes before, is written already then.
  const hold = { kind: "hold", id: "impossible", amount: 1n, expiresAt: 9e18 as Instant } as const;
  await expect(ask(ledger, id, hold)).rejects.toThrow("this command cannot be decided");
  expect(await ask(ledger, id, { kind: "spend", id: "next", amount: 1n })).toBe("done");
  expect(await problems()).toEqual([]);
});

it.each([
  ["and the connection", true],
  ["while the connection stays", false],
])("a history that was lost %s is not believed, though another one is as long", async (_, isCut) => {
  const id = await test.createAccount();
  const other = ledgerOn(test.url, { clock: test.clock });
  await ask(test.ledger, id, { kind: "grant", id: "g", amount: 100n });
  await superuser.query(`create temp table saved as select * from accounts where account_id = '${id}'`);
  expect(await ask(test.ledger, id, { kind: "spend", id: "lost", amount: 10n })).toBe("done");
  // As after a failover to a standby that was a commit behind.
  await superuser.query(`delete from entries where account_id = '${id}' and seq = 2;
    update accounts a set available = s.available, spent = s.spent, grants = s.grants, seq = s.seq, hash = s.hash
    from saved s where a.account_id = s.account_id; drop table saved`);
  if (isCut)
    await superuser.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'test-lane' and pid <> pg_backend_pid()",
    );
  expect(await ask(other.ledger, id, { kind: "spend", id: "others", amount: 60n })).toBe("done");
  expect(await ask(test.ledger, id, { kind: "spend", id: "mine", amount: 80n })).toBe("insufficient_credits");
  expect(await problems()).toEqual([]);
  await other.close();
});

it("holds are found by their keys, also by a plan that was made while there were none", async () => {
  const { text } = LOAD_STATEMENTS.find(({ name }) => name === "ledger_holds")!;
  await superuser.query("begin; set local plan_cache_mode = force_generic_plan");
  await superuser.query("set local enable_seqscan = off; set local enable_hashjoin = off");
  await superuser.query(`set local enable_mergejoin = off; prepare holds_named as ${text}`);
  const { rows } = await superuser.query<{ "QUERY PLAN": string }>(
    "explain execute holds_named ('{acct_a}', '{hold_a}')",
  );
  await superuser.query("rollback; deallocate holds_named");
  const plan = rows.map((row) => row["QUERY PLAN"]).join("\n");
  expect(plan.match(/Index Cond: .*(hold_id|parent_id)/g)).toHaveLength(3);
  expect(plan).not.toMatch(/Filter: .*hold_id/);
});
