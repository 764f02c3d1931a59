import type { Pool } from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openPool } from "./pool.ts";
import { createTestDatabase, type TestDatabase } from "./testing/database.ts";
import { withTransaction } from "./transaction.ts";

let database: TestDatabase;
let pool: Pool;
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
beforeAll(async () => {
  database = await createTestDatabase();
  pool = openPool({ url: database.url, applicationName: "test", log, connections: 1 });
  await pool.query("create table numbers (number int primary key)");
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

async function prepared(text: string): Promise<number> {
  const { rows } = await pool.query<{ uses: string }>(
    `select generic_plans + custom_plans as uses from pg_prepared_statements where statement = '${text}'`,
  );
  expect(rows.length).toBeLessThan(2);
  return Number(rows[0]?.uses ?? 0);
}

it("a statement with parameters is prepared once a connection, from the pool and in transactions; others are not", async () => {
  const add = "select $1::int + 1 as sum";
  for (const number of [1, 2]) expect((await pool.query(add, [number])).rows).toEqual([{ sum: number + 1 }]);
  await withTransaction(pool, (client) => client.query(add, [3]));
  expect(await prepared(add)).toBe(3);
  await pool.query("select 7");
  expect(await prepared("select 7")).toBe(0);
  await pool.query({ name: "mine", text: "select $1::int as own", values: [1] });
  expect(await prepared("select $1::int as own")).toBe(1);
});

it("one that fails, or cannot even be read, is said again on the same connection and works then", async () => {
  const insert = "insert into numbers values ($1)";
  await pool.query(insert, [1]);
  await expect(pool.query(insert, [1])).rejects.toMatchObject({ code: "23505" });
  expect((await pool.query(insert, [2])).rowCount).toBe(1);
  const late = "select $1::int as one from later";
  await expect(pool.query(late, [1])).rejects.toMatchObject({ code: "42P01" });
  await pool.query("create table later as select 1");
  expect((await pool.query(late, [1])).rows).toEqual([{ one: 1 }]);
});

it("a connection that is replaced prepares anew, and a table that has grown a column is read as before", async () => {
  const read = "select number from numbers where number = $1";
  expect((await pool.query(read, [1])).rows).toEqual([{ number: 1 }]);
  await pool.query("alter table numbers add name text default 'x'");
  expect((await pool.query(read, [1])).rows).toEqual([{ number: 1 }]);
  await pool.query("select pg_terminate_backend(pg_backend_pid())").catch(() => undefined);
  expect((await pool.query(read, [1])).rows).toEqual([{ number: 1 }]);
  expect(await prepared(read)).toBe(1);
});
