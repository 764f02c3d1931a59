import { createTestDatabase } from "@bursar/database/testing";
import type pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { verifyLedger } from "../src/ledger/verify.ts";
import { clientsOf, command, openTestLedger, SECOND, type TestLedger } from "./ledger-on-test-database.ts";

let test: TestLedger;
let superuser: pg.Client;
let counter = 0;
let id = "";

beforeAll(async () => {
  test = await openTestLedger(createTestDatabase);
  superuser = clientsOf(test.url)();
  await superuser.connect();
});
afterAll(async () => {
  await superuser.end();
  await test.close();
});

/** An account with some of everything. */
beforeEach(async () => {
  id = `acct_${++counter}`;
  await test.createAccount(id as never);
  const submit = (loose: Parameters<typeof command>[1]) => test.ledger.submit(command(id as never, loose));
  const expiresAt = test.clock.now() + 3600 * SECOND;
  await submit({ kind: "grant", id: "g1", amount: 100n, expiresAt, scope: ["chat"], priority: 20 });
  await submit({ kind: "grant", id: "g2", amount: 50n });
  await submit({ kind: "spend", id: "s", amount: 10n, feature: "chat" });
  await submit({ kind: "hold", id: "h1", amount: 20n, feature: "chat" });
  await submit({ kind: "hold", id: "h2", amount: 20n });
  await submit({ kind: "settle", holdId: "h2", amount: 5n });
  await submit({ kind: "hold", id: "h3", amount: 7n });
});

/** Everything that the tampering below is found by: the account is whole before, and broken after. */
async function problemsAfter(...statements: string[]) {
  expect((await verifyLedger(test.connect)).problems).toEqual([]);
  const before = await fingerprintOfTables();
  await superuser.query("begin");
  try {
    for (const statement of statements) await superuser.query(statement.replaceAll("$id", id));
    await superuser.query("commit");
    // A statement that misses its mark would prove nothing.
    expect(await fingerprintOfTables()).not.toBe(before);
    return (await verifyLedger(clientsOf(test.url))).problems.map(({ invariant, accountId }) => ({
      invariant,
      accountId,
    }));
  } finally {
    await superuser.query("rollback");
    await forget();
  }
}

async function fingerprintOfTables(): Promise<string> {
  const { rows } = await superuser.query<{ text: string }>(
    `select concat((select string_agg(e::text, '' order by seq) from entries e where account_id = $1),
       (select string_agg(h::text, '' order by hold_id) from holds h where account_id = $1),
       (select string_agg(g::text, '' order by grant_id) from grants g where account_id = $1),
       (select a::text from accounts a where account_id = $1), to_regclass('entries_key')) as text`,
    [id],
  );
  return rows[0]!.text;
}

async function forget(): Promise<void> {
  for (const table of ["entries", "holds", "grants", "grant_expiries", "accounts"])
    await superuser.query(`delete from ${table} where account_id = $1`, [id]);
  await superuser.query("drop index if exists entries_key");
  await superuser.query("create unique index entries_key on entries (account_id, key) where key is not null");
}

describe("verify finds", () => {
  it.each<[string, number, string[]]>([
    ["a changed amount", 3, ["update entries set amount = 11 where account_id = '$id' and seq = 3"]],
    ["a changed note", 3, ["update entries set note = 'x' where account_id = '$id' and seq = 3"]],
    [
      "a changed time",
      3,
      ["update entries set at = at - interval '1 microsecond' where account_id = '$id' and seq = 3"],
    ],
    ["a changed caller", 3, ["update entries set by = 'me' where account_id = '$id' and seq = 3"]],
    [
      "a changed draw",
      3,
      [`update entries set draws = '[["g2","10"]]' where account_id = '$id' and seq = 3`],
    ],
    ["a changed hash", 3, ["update entries set hash = sha256('x') where account_id = '$id' and seq = 3"]],
    ["a deleted entry", 3, ["delete from entries where account_id = '$id' and seq = 3"]],
    ["a deleted first entry", 3, ["delete from entries where account_id = '$id' and seq = 1"]],
    [
      "a deleted last entry",
      3,
      [
        "delete from entries where account_id = '$id' and seq = (select max(seq) from entries where account_id = '$id')",
      ],
    ],
    ["an account whose entries are gone", 3, ["delete from entries where account_id = '$id'"]],
    ["entries whose account is gone", 3, ["delete from accounts where account_id = '$id'"]],
    [
      "credits out of nothing",
      3,
      ["update accounts set available = available + 5, issued = issued + 5 where account_id = '$id'"],
    ],
    [
      "spending made undone",
      3,
      ["update accounts set available = available + 5, spent = spent - 5 where account_id = '$id'"],
    ],
    [
      "a debt forgiven in silence",
      3,
      ["update accounts set owed = 3, spent = spent + 3 where account_id = '$id'"],
    ],
    ["a freeze without an entry", 3, ["update accounts set frozen = true where account_id = '$id'"]],
    ["a row that forgot its newest entry", 3, ["update accounts set seq = seq - 1 where account_id = '$id'"]],
    [
      "a grant that holds more",
      2,
      ["update accounts set grants = replace(grants, 'g2 promo 38', 'g2 promo 39') where account_id = '$id'"],
    ],
    [
      "a grant that is said to have ended",
      2,
      ["update accounts set grants = replace(grants, ' chat', ' chat ended') where account_id = '$id'"],
    ],
    [
      "a grant that vanished",
      2,
      ["update accounts set grants = split_part(grants, ';', 1) where account_id = '$id'"],
    ],
    [
      "a hold that grew",
      2,
      ["update holds set amount = amount + 1 where account_id = '$id' and hold_id = 'h1'"],
    ],
    ["a hold that vanished", 2, ["delete from holds where account_id = '$id' and hold_id = 'h1'"]],
    [
      "a hold nobody asked for",
      2,
      [
        "insert into holds (account_id, hold_id, amount, draws, created_at) values ('$id', 'h9', 1, '[]', now())",
      ],
    ],
    [
      "an entry twice",
      4,
      [
        "drop index entries_key",
        "insert into entries select account_id, seq + 100, kind, amount, draws, reference, parent_id, hold_after, key, fingerprint, group_size, feature, metadata, decision, note, request_id, available_after, held_after, owed_after, expires_at, at, by, hash from entries where account_id = '$id' and seq = 3",
      ],
    ],
    ["a missing unique index", 4, ["drop index entries_key"]],
    ["a group without a key", 4, ["update entries set key = null where account_id = '$id' and seq = 3"]],
    ["half a group", 4, ["update entries set group_size = 3 where account_id = '$id' and seq = 3"]],
    [
      "a grant that never arrived",
      5,
      [`update entries set draws = '[["g9","10"]]' where account_id = '$id' and seq = 3`],
    ],
    [
      "a grant that gave more than it had",
      5,
      ["update entries set draws = '[[\"g2\",\"60\"]]' where account_id = '$id' and seq = 3"],
    ],
    [
      "a grant that gave after its expiry",
      5,
      ["update entries set expires_at = at where account_id = '$id' and seq = 1"],
    ],
  ])("%s (invariant %i)", async (_, invariant, statements) => {
    const problems = await problemsAfter(...statements);
    expect(problems.map((problem) => problem.invariant)).toContain(invariant);
    for (const { accountId } of problems) expect([id, ""]).toContain(accountId);
  });

  // One such value must not hide what else is wrong, nor where.
  it.each<[string, string]>([
    ["draws that are no draws", `update entries set draws = '{}' where account_id = '$id' and seq = 3`],
    ["draws of no amount", `update entries set draws = '[["g2","x"]]' where account_id = '$id' and seq = 3`],
    ["no end of time", "update entries set at = 'infinity' where account_id = '$id' and seq = 1"],
    ["a grant without terms", "update entries set decision = 'null' where account_id = '$id' and seq = 1"],
    ["an expiry at no time", "update grants set expires_at = 'infinity' where account_id = '$id'"],
    ["a scope that is none", `update grants set scope = '5' where account_id = '$id'`],
    ["a hold's draws that are none", `update holds set draws = '{}' where account_id = '$id'`],
  ])("what cannot even be read, by its account: %s", async (_, statement) => {
    expect((await problemsAfter(statement)).map(({ accountId }) => accountId)).toContain(id);
  });

  // What a row says of each grant and hold must follow from the entries too, not only the sums.
  it.each<[string, string[]]>([
    [
      "F17: credits moved from one grant to another",
      [
        "update accounts set grants = replace(replace(grants, 'g1 promo 70', 'g1 promo 69'), 'g2 promo 38', 'g2 promo 39') where account_id = '$id'",
      ],
    ],
    [
      "F17: a grant whose expiry was moved",
      ["update accounts set grants = regexp_replace(grants, ' 20 \\d+ ', ' 20 - ') where account_id = '$id'"],
    ],
    [
      "F17: a grant whose scope was widened",
      ["update accounts set grants = replace(grants, ' chat', ' -') where account_id = '$id'"],
    ],
    [
      "F18: an amount moved from one open hold to another",
      [
        "update holds set amount = amount + case hold_id when 'h1' then 1 else -1 end where account_id = '$id'",
      ],
    ],
    [
      "F18: a hold that reserves other grants than it says",
      [`update holds set draws = '[["g2","20"]]' where account_id = '$id' and hold_id = 'h1'`],
    ],
    [
      "F19: what the grants table says was granted",
      ["update grants set granted = 500 where account_id = '$id' and grant_id = 'g2'"],
    ],
  ])("%s", async (_, statements) => {
    expect(await problemsAfter(...statements)).not.toEqual([]);
  });

  it("nothing in a whole ledger, also while it is written to", async () => {
    const load = Promise.all(
      Array.from({ length: 500 }, (_, index) =>
        test.ledger.submit(command(id as never, { kind: "grant", id: `more${index}`, amount: 1n })),
      ),
    );
    for (let round = 0; round < 3; round++) expect((await verifyLedger(test.connect)).problems).toEqual([]);
    await load;
    expect((await verifyLedger(test.connect)).problems).toEqual([]);
  });
});
