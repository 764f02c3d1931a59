import type { AccountId } from "@bursar/contract/ids";
import { createTestDatabase } from "@bursar/database/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Command } from "../src/ledger/command.ts";
import { command, openTestLedger, resultOf, SECOND, type TestLedger } from "./ledger-on-test-database.ts";

let one: TestLedger;
beforeAll(async () => {
  one = await openTestLedger(createTestDatabase, { lanes: 1 });
});
afterAll(() => one.close());

/** Whatever COPY escapes, and what it takes for null. */
const NASTY = "\\N \t\n\r\b\f\v \\ \\t \\x41 {\"'} é 語 🙂";

/** All that a batch can write. */
function story(accountId: AccountId, now: number): Command[] {
  const cap = { id: "cap:a", limit: 1_000_000n, window: "day" };
  const usage = {
    ...{ model: "m", inputTokens: 10, cachedInputTokens: 3, outputTokens: 5, priceVersion: 1 },
    ...{ keyId: null, personId: "person" },
  };
  const nasty = {
    ...{ feature: NASTY, note: NASTY, requestId: NASTY, by: NASTY },
    ...{ metadata: { [NASTY]: NASTY }, decision: { why: NASTY } },
  };
  const commands = [
    { kind: "grant", id: "short", amount: 1000n, expiresAt: now + 5 * SECOND, notes: NASTY, reference: "r" },
    { kind: "grant", id: "long", amount: 5000n, priority: 60, scope: null, ...nasty },
    { kind: "spend", id: "spent", amount: 300n, caps: [cap], usage, ...nasty },
    { kind: "spend", id: "spent-again", amount: 100n, caps: [cap] },
    { kind: "hold", id: "held", amount: 900n, caps: [cap], expiresAt: now + 3600 * SECOND, ...nasty },
    { kind: "hold", id: "child", parentId: "held", amount: 200n, expiresAt: now + 60 * SECOND },
    { kind: "extend", id: "more", holdId: "held", amount: 50n, reported: 40n, caps: [cap] },
    { kind: "settle", holdId: "child", amount: 120n, usage },
    { kind: "hold", id: "stays", amount: 77n, expiresAt: null },
    { kind: "settle", holdId: "held", amount: 6000n, usage, ...nasty },
    { kind: "grant", id: "repaying", amount: 9000n, expiresAt: now + 7 * SECOND },
    { kind: "revoke", id: "back", grantId: "repaying", amount: 500n },
    { kind: "adjust", id: "down", amount: -100n },
    { kind: "freeze", id: "stop" },
  ] as const;
  return commands.map((loose) => command(accountId, loose));
}

async function rowsOf(accountId: AccountId): Promise<unknown> {
  const tables = "accounts entries grants grant_expiries holds cap_counters effects usage_records".split(" ");
  const found: Record<string, unknown> = {};
  for (const table of tables) {
    const { rows } = await one.pool.query(
      `select to_jsonb(t) - 'account_id' - 'name' - 'hash' as row from ${table} t where account_id = $1
       order by (to_jsonb(t) - 'account_id' - 'hash')::text`,
      [accountId],
    );
    found[table] = rows;
  }
  return found;
}

it("what commands write is the same one by one and together: of one account, and of two in one batch", async () => {
  const alone = await one.createAccount("acct_alone" as AccountId, 4000n);
  const hurried = await one.createAccount("acct_hurried" as AccountId, 4000n);
  const beside = await one.createAccount("acct_beside" as AccountId, 4000n);
  const now = one.clock.now();
  for (const each of story(alone, now)) resultOf(await one.ledger.submit(each));
  const besides = story(beside, now);
  const together = story(hurried, now).flatMap((each, index) => [each, besides[index]!]);
  for (const outcome of await Promise.all(together.map((each) => one.ledger.submit(each)))) resultOf(outcome);
  const rows = await rowsOf(alone);
  expect(await rowsOf(hurried)).toEqual(rows);
  expect(await rowsOf(beside)).toEqual(rows);
  expect(JSON.stringify(rows)).toContain(JSON.stringify(NASTY).slice(1, -1));
  for (const written of Object.values(rows as Record<string, unknown[]>)) expect(written).not.toEqual([]);

  one.clock.advance(10 * SECOND);
  const expiries = (accountId: AccountId) => [
    command(accountId, { kind: "unfreeze", id: "go" }),
    command(accountId, { kind: "expire", grantId: "repaying" }),
  ];
  for (const each of expiries(alone)) resultOf(await one.ledger.submit(each));
  const ends = [...expiries(hurried), ...expiries(beside)];
  for (const outcome of await Promise.all(ends.map((each) => one.ledger.submit(each)))) resultOf(outcome);
  const after = await rowsOf(alone);
  expect(await rowsOf(hurried)).toEqual(after);
  expect(await rowsOf(beside)).toEqual(after);
});
