import type { Instant } from "@bursar/contract/instant";
import { createTestDatabase, type TestDatabase } from "@bursar/database/testing";
import fc from "fast-check";
import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { binaryArray, type Element, ElementOutOfRange, type ElementType } from "./binary-array.ts";

let database: TestDatabase;
let client: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query("set timezone = 'UTC'");
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

/** What Postgres makes of the elements, each as its text. */
async function readBack(type: ElementType, values: readonly Element[]): Promise<(string | null)[]> {
  const { rows } = await client.query<{ texts: (string | null)[] }>(
    `select coalesce(array_agg(v::text order by i), '{}') as texts
     from unnest($1::${type}[]) with ordinality as t (v, i)`,
    [binaryArray(type, values)],
  );
  return rows[0]!.texts;
}

const INT8 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };
const withNulls = <T>(some: fc.Arbitrary<T>) => fc.array(fc.option(some), { maxLength: 40 });
// Text in Postgres holds no zero byte, and no half of a surrogate pair survives UTF-8.
const text = fc.string({ unit: "grapheme", maxLength: 60 }).filter((value) => !value.includes("\0"));

it.each<[ElementType, fc.Arbitrary<Exclude<Element, null>>]>([
  ["int8", fc.bigInt(INT8)],
  ["int8", fc.maxSafeInteger()],
  ["int4", fc.integer()],
  ["int2", fc.integer({ min: -32_768, max: 32_767 })],
  ["text", text],
  ["json", text.map((value) => JSON.stringify({ value }))],
])("an array of %s arrives as it was", async (type, some) => {
  await fc.assert(
    fc.asyncProperty(withNulls(some), async (values) => {
      expect(await readBack(type, values)).toEqual(
        values.map((value) => (value === null ? null : String(value))),
      );
    }),
    { numRuns: 50 },
  );
});

it("booleans, bytes and instants too", async () => {
  expect(await readBack("bool", [true, false, null])).toEqual(["true", "false", null]);
  expect(await readBack("bytea", ["00ff10", null, ""])).toEqual(["\\x00ff10", null, "\\x"]);
  const instants = [0, 1, 1_795_000_000_123_456, -1].map((instant) => instant as Instant);
  expect(await readBack("timestamptz", [...instants, null])).toEqual([
    "1970-01-01 00:00:00+00",
    "1970-01-01 00:00:00.000001+00",
    "2026-11-18 11:06:40.123456+00",
    "1969-12-31 23:59:59.999999+00",
    null,
  ]);
});

it("more than fits at first does not lose what was written before", async () => {
  const values = Array.from({ length: 300 }, (_, index) => `${index} ${"ä".repeat(400)}`);
  expect(await readBack("text", values)).toEqual(values);
});

it.each<[ElementType, Exclude<Element, null>]>([
  ["int8", 2n ** 63n],
  ["int8", -(2n ** 63n) - 1n],
  ["int8", 1.5],
  ["int8", Number.NaN],
  ["int8", 1e30],
  ["int8", "1"],
  ["int4", 2 ** 31],
  ["int2", 40_000],
  ["timestamptz", Number.POSITIVE_INFINITY],
])("for %s, %s is refused and not cut to fit", (type, value) => {
  expect(() => binaryArray(type, [value])).toThrow(ElementOutOfRange);
});
