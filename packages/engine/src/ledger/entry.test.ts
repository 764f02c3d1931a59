import type { AccountId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import { APPLICATION_ROLE, connectionOptions } from "@bursar/database/connection";
import { createTestDatabase, type TestDatabase } from "@bursar/database/testing";
import fc from "fast-check";
import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { copyOut } from "./copy-out.ts";
import {
  canonicalRow,
  chainHash,
  drawsFromText,
  drawsToText,
  ENTRY_COLUMNS,
  type Entry,
  fingerprintOf,
  GENESIS_HASH,
  keyOf,
} from "./entry.ts";
import { openLedger } from "./ledger.ts";

let database: TestDatabase;
let client: pg.Client;
const connect = () =>
  new pg.Client(connectionOptions({ url: database.url, applicationName: "test", role: APPLICATION_ROLE }));

beforeAll(async () => {
  database = await createTestDatabase();
  client = new pg.Client(connectionOptions({ url: database.url, applicationName: "test" }));
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

const NASTY = [
  ...[
    "plain",
    "",
    "tab\there",
    "line\nbreak",
    "return\rhere",
    "back\\slash",
    "\\N",
    "\\.",
    "\\\\x00",
    "\b\v\f\x01\x1f\x7f",
  ],
  ...[
    "ünïcödé",
    "日本語",
    "😀👩‍👩‍👧",
    "quote'\"",
    "a,b;c d",
    "{}[]",
    "\u2028\u2029\ufeff",
    "e\u0301",
    "$1 %s",
    "null",
    "NULL",
  ],
];

it("the rows that are hashed are the rows that COPY prints, whatever the text, and SQL alone can check the chain", async () => {
  const accountId = "acct_entry" as AccountId;
  await client.query(
    "insert into accounts (account_id, name, created_at, hash) values ($1, 'x', now(), decode($2, 'hex'))",
    [accountId, GENESIS_HASH],
  );
  let now = 1_790_000_000_000_000;
  const silent = { warn: () => undefined };
  const ledger = openLedger({ connect, clock: { now: () => now as Instant }, log: silent, lanes: 1 });
  const texts = [
    ...NASTY,
    ...fc.sample(fc.string({ unit: "binary", maxLength: 30 }), { numRuns: 60, seed: 7 }),
  ].filter((text) => !text.includes("\0"));
  for (const [index, text] of texts.entries()) {
    now += [1, 10, 1000, 999_999, 1_000_000][index % 5]!;
    const facts = {
      feature: text,
      note: text,
      requestId: text,
      by: `by ${text}`,
      metadata: { [text]: text },
      decision: { text: [text, null, 1.5] },
    };
    const grant = {
      kind: "grant",
      source: "gift",
      priority: 80,
      expiresAt: (now + 1_500_000_123) as Instant,
      scope: null,
    } as const;
    const outcome = await ledger.submit({
      ...grant,
      ...facts,
      accountId,
      id: `g${index}` as never,
      amount: 5n,
    });
    expect(outcome.kind).toBe("done");
  }
  await ledger.close();

  let previous = GENESIS_HASH;
  let lines = 0;
  await copyOut(
    client,
    `copy (select ${ENTRY_COLUMNS}, encode(hash, 'hex') from entries order by seq) to stdout`,
    (line) => {
      const end = line.lastIndexOf("\t");
      previous = chainHash(previous, line.slice(0, end));
      expect(line.slice(end + 1)).toBe(previous);
      lines += 1;
    },
  );
  expect(lines).toBe(texts.length);

  const { rows } = await client.query<{ row: Entry; text: string }>(
    `select metadata::text as text from entries order by seq`,
  );
  expect(
    rows
      .map(({ text }) => JSON.parse(text) as Record<string, string>)
      .map((value) => Object.values(value)[0]),
  ).toEqual(texts);
  expect(await chainInSql()).toEqual({ entries: BigInt(texts.length), right: BigInt(texts.length) });
});

/** What anyone with psql can do: COPY's escapes by replace, and sha256. */
async function chainInSql(): Promise<unknown> {
  const escaped = (column: string) =>
    [
      ["\\", "\\\\"],
      ["\b", "\\b"],
      ["\t", "\\t"],
      ["\n", "\\n"],
      ["\v", "\\v"],
      ["\f", "\\f"],
      ["\r", "\\r"],
    ].reduce((sql, [from, to]) => `replace(${sql}, chr(${from!.charCodeAt(0)}), '${to}')`, `${column}::text`);
  const columns = ENTRY_COLUMNS.split(",").map((column) => `coalesce(${escaped(column.trim())}, '\\N')`);
  const { rows } = await client.query<Record<string, bigint>>(
    `select count(*) as entries, count(*) filter (where encode(sha256(convert_to(
       coalesce(encode(previous, 'hex'), repeat('0', 64)) || chr(10) || row, 'UTF8')), 'hex') = encode(hash, 'hex')) as right
     from (select hash, lag(hash) over (order by seq) as previous, concat_ws(chr(9), ${columns.join(", ")}) as row from entries) e`,
  );
  return rows[0];
}

it("draws read back from their text are the same draws", () => {
  const draws = [
    ["g1", 1n],
    ["g2", 2n ** 62n],
  ] as never;
  expect(drawsFromText(drawsToText(draws))).toEqual(draws);
  expect(drawsToText([])).toBeNull();
  expect(drawsFromText(null)).toEqual([]);
});

it("keys are uuids that differ with the name, fingerprints fit an int8", () => {
  expect(keyOf("a")).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  expect(keyOf("a")).toBe(keyOf("a"));
  expect(new Set(Array.from({ length: 20_000 }, (_, index) => keyOf(`k${index}`))).size).toBe(20_000);
  for (let index = 0; index < 1000; index++) {
    expect(BigInt.asIntN(64, fingerprintOf(`body ${index}`))).toBe(fingerprintOf(`body ${index}`));
  }
});

it("nulls are printed as COPY prints them", () => {
  const entry = {
    accountId: "a",
    seq: 1n,
    kind: "spend",
    amount: 0n,
    draws: null,
    reference: "r",
    parentId: null,
    holdAfter: null,
  };
  const rest = {
    key: null,
    fingerprint: null,
    groupSize: 1,
    feature: null,
    metadata: null,
    decision: null,
    note: null,
    requestId: null,
  };
  const after = { availableAfter: 0n, heldAfter: 0n, owedAfter: 0n, expiresAt: null, at: 0, by: "me" };
  const row = canonicalRow({ ...entry, ...rest, ...after } as never);
  expect(row).toBe(
    "a\t1\tspend\t0\t\\N\tr\t\\N\t\\N\t\\N\t\\N\t1\t\\N\t\\N\t\\N\t\\N\t\\N\t0\t0\t0\t\\N\t1970-01-01 00:00:00+00\tme",
  );
});
