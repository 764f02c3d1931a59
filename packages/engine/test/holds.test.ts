import { createTestDatabase } from "@bursar/database/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readAccount } from "../src/ledger/store-load.ts";
import { sweep } from "../src/ledger/sweep.ts";
import { verifyLedger } from "../src/ledger/verify.ts";
import {
  command,
  isLong,
  ledgerOn,
  openTestLedger,
  resultOf,
  SECOND,
  silentLog,
  type TestLedger,
} from "./ledger-on-test-database.ts";

let test: TestLedger;
/** Another process's ledger on the same accounts, as far as the database can tell. */
let other: ReturnType<typeof ledgerOn>;
beforeAll(async () => {
  test = await openTestLedger(createTestDatabase);
  other = ledgerOn(test.url, { clock: test.clock });
});
afterAll(async () => {
  expect((await verifyLedger(test.connect)).problems).toEqual([]);
  await other.close();
  await test.close();
});

type Loose = Parameters<typeof command>[1];

async function account(granted = 100n) {
  const id = await test.createAccount();
  const submit = (loose: Loose) => test.ledger.submit(command(id, loose));
  if (granted > 0n) await submit({ kind: "grant", id: "g", amount: granted });
  const buckets = async () => {
    const { available, held, owed } = (await readAccount(test.pool, id))!;
    return { available, held, owed };
  };
  return { id, submit, buckets };
}

describe("holds", () => {
  it("two at once never exceed the balance, whichever process asks", async () => {
    for (let round = 0; round < (isLong ? 300 : 25); round++) {
      const { id, buckets } = await account(100n);
      const asked = [test.ledger, other.ledger].map((ledger, index) =>
        ledger.submit(command(id, { kind: "hold", id: `h${index}`, amount: 60n })),
      );
      const kinds = (await Promise.all(asked)).map(({ kind }) => kind);
      expect(kinds.toSorted()).toEqual(["done", "insufficient_credits"]);
      expect(await buckets()).toEqual({ available: 40n, held: 60n, owed: 0n });
    }
  });

  it("one of nothing needs no credits, and is refused like any other with a debt or a freeze", async () => {
    const { submit, buckets } = await account(0n);
    const caps = [{ id: "key", limit: 1n, window: "total" as const }];
    const held = resultOf(await submit({ kind: "hold", id: "h", amount: 0n, caps }));
    expect(held).toMatchObject({ amount: 0n, available: 0n });
    await submit({ kind: "hold", id: "child", amount: 0n, parentId: "h" });
    await submit({ kind: "freeze", id: "f" });
    const again = { kind: "hold", amount: 0n } as const;
    expect(await submit({ ...again, id: "frozen" })).toMatchObject({ kind: "account_frozen" });
    // What was let in before goes on.
    expect(await submit({ kind: "extend", id: "e", holdId: "h", amount: 0n })).toMatchObject({
      kind: "done",
    });
    await submit({ kind: "unfreeze", id: "u" });
    expect(resultOf(await submit({ kind: "settle", holdId: "h", amount: 2n }))).toMatchObject({
      overrun: 2n,
    });
    expect(await submit({ ...again, id: "in debt" })).toMatchObject({ kind: "in_debt", owed: 2n });
    await submit({ kind: "grant", id: "more", amount: 2n });
    expect(await submit({ ...again, id: "capped", caps })).toMatchObject({ kind: "cap_exceeded" });
    expect(await submit({ ...again, id: "free" })).toMatchObject({ kind: "done" });
    await submit({ kind: "release", holdId: "free" });
    expect(await buckets()).toEqual({ available: 0n, held: 0n, owed: 0n });
  });

  it("a settlement beyond the hold takes what is available, and the rest is exact debt", async () => {
    const { submit, buckets } = await account(100n);
    await submit({ kind: "hold", id: "h", amount: 70n });
    const result = resultOf(await submit({ kind: "settle", holdId: "h", amount: 1100n }));
    expect(result).toMatchObject({ charged: 1100n, overrun: 1000n, released: 0n });
    expect(await buckets()).toEqual({ available: 0n, held: 0n, owed: 1000n });
    expect(await submit({ kind: "spend", id: "s", amount: 1n })).toEqual({ kind: "in_debt", owed: 1000n });
    expect(resultOf(await submit({ kind: "grant", id: "g2", amount: 500n })).repaid).toBe(500n);
    expect(await buckets()).toEqual({ available: 0n, held: 0n, owed: 500n });
    await submit({ kind: "grant", id: "g3", amount: 501n });
    expect(await buckets()).toEqual({ available: 1n, held: 0n, owed: 0n });
  });

  it("what comes back returns to the grants it came from, and expires where one has expired meanwhile", async () => {
    const { submit, buckets } = await account(0n);
    await submit({
      kind: "grant",
      id: "short",
      amount: 30n,
      priority: 20,
      expiresAt: test.clock.now() + SECOND,
    });
    await submit({ kind: "grant", id: "long", amount: 30n, priority: 80 });
    await submit({ kind: "hold", id: "h", amount: 50n });
    test.clock.advance(SECOND);
    const result = resultOf(await submit({ kind: "release", holdId: "h" }));
    expect(result).toMatchObject({ released: 50n, expired: 30n, available: 30n });
    expect(await buckets()).toEqual({ available: 30n, held: 0n, owed: 0n });
  });

  it("closing a parent closes its children, at what they reported, else in full", async () => {
    const { submit, buckets } = await account(100n);
    await submit({ kind: "hold", id: "run", amount: 90n });
    await submit({ kind: "hold", id: "c1", amount: 20n, parentId: "run" });
    await submit({ kind: "hold", id: "c2", amount: 20n, parentId: "run" });
    await submit({ kind: "extend", id: "x", holdId: "c1", amount: 0n, reported: 15n });
    await submit({ kind: "settle", holdId: "run", amount: 10n });
    expect(await buckets()).toEqual({ available: 75n, held: 0n, owed: 0n });
    expect(await submit({ kind: "extend", id: "x2", holdId: "c2", amount: 1n })).toMatchObject({
      kind: "hold_closed",
    });
    expect(await submit({ kind: "hold", id: "c3", amount: 1n, parentId: "run" })).toMatchObject({
      kind: "hold_closed",
    });
    expect(await submit({ kind: "settle", holdId: "c2", amount: 5n })).toMatchObject({ kind: "hold_closed" });
  });

  it("a thousand children at once never exceed their parent", async () => {
    const { id, submit, buckets } = await account(10_000n);
    await submit({ kind: "hold", id: "run", amount: 4000n });
    const asked = Array.from({ length: 1000 }, (_, index) =>
      (index % 2 === 0 ? test : other).ledger.submit(
        command(id, { kind: "hold", id: `c${index}`, amount: 7n, parentId: "run" }),
      ),
    );
    const outcomes = await Promise.all(asked);
    expect(outcomes.filter(({ kind }) => kind === "done")).toHaveLength(571);
    const refused = outcomes.filter(({ kind }) => kind !== "done");
    for (const refusal of refused)
      expect(refusal).toEqual({ kind: "parent_exhausted", parentId: "run", left: 3n });
    expect(await buckets()).toEqual({ available: 6000n, held: 4000n, owed: 0n });
    await submit({ kind: "release", holdId: "run" });
    expect(await buckets()).toEqual({ available: 10_000n, held: 0n, owed: 0n });
  });

  it("a disputed grant is held whatever the account's state: lost it is revoked, won it is released", async () => {
    const { submit, buckets } = await account(100n);
    await submit({ kind: "freeze", id: "f" });
    await submit({ kind: "hold", id: "dispute", amount: 100n, grantId: "g", expiresAt: null });
    expect(await buckets()).toEqual({ available: 0n, held: 100n, owed: 0n });
    await submit({ kind: "release", holdId: "dispute" });
    await submit({ kind: "revoke", id: "lost", grantId: "g", amount: 100n });
    expect(await buckets()).toEqual({ available: 0n, held: 0n, owed: 0n });
  });
});

describe("time", () => {
  it("an expired grant is never spent, to the microsecond", async () => {
    const { submit } = await account(0n);
    const expiresAt = test.clock.now() + SECOND;
    await submit({ kind: "grant", id: "g1", amount: 10n, expiresAt });
    test.clock.advance(SECOND - 1);
    expect(await submit({ kind: "spend", id: "in time", amount: 4n })).toMatchObject({ kind: "done" });
    test.clock.advance(1);
    const late = { available: 0n, missing: 1n, kind: "insufficient_credits" };
    expect(await submit({ kind: "spend", id: "late", amount: 1n })).toEqual(late);
    expect(await submit({ kind: "hold", id: "late too", amount: 1n })).toEqual(late);
  });

  it("the sweep expires due grants, settles due holds at the reported usage, else releases them; once", async () => {
    const { id, submit, buckets } = await account(100n);
    const expiresAt = test.clock.now() + SECOND;
    await submit({ kind: "grant", id: "short", amount: 5n, expiresAt, priority: 90 });
    await submit({ kind: "hold", id: "h1", amount: 30n, expiresAt });
    await submit({ kind: "hold", id: "h2", amount: 30n, expiresAt });
    await submit({ kind: "extend", id: "x", holdId: "h1", amount: 0n, reported: 12n });
    test.clock.advance(SECOND - 1);
    await sweep({ ...test, log: silentLog });
    expect(await buckets()).toEqual({ available: 45n, held: 60n, owed: 0n });
    test.clock.advance(1);
    await Promise.all([sweep({ ...test, log: silentLog }), sweep({ ...other, log: silentLog })]);
    expect(await buckets()).toEqual({ available: 88n, held: 0n, owed: 0n });
    const before = await readAccount(test.pool, id);
    expect(await sweep({ ...test, log: silentLog })).toEqual({ grants: 0, holds: 0, forgotten: 0 });
    expect(await readAccount(test.pool, id)).toEqual(before);
    const left = await test.pool.query("select from grant_expiries where account_id = $1", [id]);
    expect(left.rowCount).toBe(0);
  });

  it("what cannot be ended keeps nothing else from its end", async () => {
    const broken = await account(0n);
    const { submit, buckets } = await account(100n);
    const due = test.clock.now() + SECOND;
    await broken.submit({ kind: "hold", id: "h", amount: 0n, expiresAt: due - 1 });
    await broken.submit({ kind: "grant", id: "g1", amount: 1n, expiresAt: due - 1 });
    await submit({ kind: "hold", id: "h", amount: 30n, expiresAt: due });
    await submit({ kind: "grant", id: "g1", amount: 10n, expiresAt: due });
    const setSeq = (seq: number) =>
      test.pool.query("update accounts set seq = $2 where account_id = $1", [broken.id, seq]);
    // Its next entry would be the first a second time.
    await setSeq(0);
    test.clock.advance(SECOND);
    expect(await sweep({ ...test, log: silentLog })).toMatchObject({ grants: 1, holds: 1 });
    await setSeq(2);
    await sweep({ ...test, log: silentLog });
    expect(await buckets()).toEqual({ available: 100n, held: 0n, owed: 0n });
  });

  it("an expiry that only the sweep sees counts the same whoever comes first", async () => {
    const { submit, buckets } = await account(0n);
    await submit({ kind: "grant", id: "g1", amount: 10n, expiresAt: test.clock.now() + SECOND });
    test.clock.advance(SECOND);
    await submit({ kind: "unfreeze", id: "any command" });
    expect(await buckets()).toEqual({ available: 0n, held: 0n, owed: 0n });
    await sweep({ ...test, log: silentLog });
    expect(await submit({ kind: "expire", grantId: "g1" })).toMatchObject({
      kind: "duplicate",
      result: { expired: 10n },
    });
  });
});

describe("keys", () => {
  it("a revoked or expired key is refused by the ledger itself, and may still close its holds", async () => {
    const { id, submit } = await account(100n);
    await test.pool.query(
      `insert into api_keys (key_id, account_id, name, prefix, secret_hash, expires_at, created_at, created_by)
       values ('k1', $1, 'k', 'k', '\\x01', null, now(), 'test'),
              ('k2', $1, 'k', 'k', '\\x02', to_timestamp($2::int8 / 1000000), now(), 'test')`,
      [id, test.clock.now() + 5 * SECOND],
    );
    const use = (keyId: string, loose: Loose) => submit({ ...loose, keyId });
    await use("k1", { kind: "hold", id: "h", amount: 10n });
    await test.pool.query("update api_keys set revoked_at = now() where key_id = 'k1'");
    const revoked = { kind: "key_revoked", keyId: "k1" };
    expect(await use("k1", { kind: "spend", id: "s1", amount: 1n })).toEqual(revoked);
    expect(await use("k1", { kind: "hold", id: "h1", amount: 1n })).toEqual(revoked);
    expect(await use("k1", { kind: "extend", id: "x1", holdId: "h", amount: 1n })).toEqual(revoked);
    expect(await use("k1", { kind: "settle", holdId: "h", amount: 10n })).toMatchObject({ kind: "done" });
    expect(await use("k2", { kind: "spend", id: "s2", amount: 1n })).toMatchObject({ kind: "done" });
    test.clock.advance(10 * SECOND);
    expect(await use("k2", { kind: "spend", id: "s3", amount: 1n })).toEqual({
      kind: "key_expired",
      keyId: "k2",
    });
  });
});

describe("the application's role", () => {
  it.each([
    ["update entries set amount = amount"],
    ["delete from entries"],
    ["truncate entries"],
    ["delete from accounts"],
    ["update grants set granted = granted"],
    ["delete from grants"],
    ["alter table entries disable trigger all"],
    ["drop index entries_key"],
  ])("may not: %s", async (statement) => {
    const client = test.connect();
    await client.connect();
    await expect(client.query(statement)).rejects.toMatchObject({ code: "42501" });
    await client.end();
  });
});
