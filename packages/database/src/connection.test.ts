import { parseInstant } from "@bursar/contract/instant";
import { Client, type ClientConfig } from "pg";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { connectionOptions } from "./connection.ts";
import { silentLog } from "./log.ts";
import { openPool } from "./pool.ts";
import { createTestDatabase } from "./testing/database.ts";
import { CLUSTER_URL } from "./testing/provided-context.ts";

const url = inject(CLUSTER_URL);

async function firstRow(client: Client, sql: string, values: unknown[] = []): Promise<object> {
  await client.connect();
  try {
    return (await client.query<object>(sql, values)).rows[0] ?? {};
  } finally {
    await client.end();
  }
}

const newClient = (options: Partial<Parameters<typeof connectionOptions>[0]> = {}, more: ClientConfig = {}) =>
  new Client({ ...connectionOptions({ url, applicationName: "bursar-test", ...options }), ...more });

describe("a value", () => {
  it.each([
    ["int8", "9007199254740993", 9007199254740993n],
    ["int8[]", "{1,NULL,9007199254740993}", [1n, null, 9007199254740993n]],
    ["numeric", "0.1000000000000000000001", "0.1000000000000000000001"],
    ["timestamptz", "2026-01-31 12:00:00.123456+02", parseInstant("2026-01-31T10:00:00.123456Z")],
    ["timestamptz[]", '{"2026-01-31 10:00:00+00"}', [parseInstant("2026-01-31T10:00:00Z")]],
    ["timestamp", "2026-01-31 12:00:00", "2026-01-31 12:00:00"],
    ["date", "2026-01-31", "2026-01-31"],
    ["int4", "7", 7],
    ["jsonb", '{"a": 1}', { a: 1 }],
  ])("of type %s keeps everything it says", async (type, text, expected) => {
    expect(await firstRow(newClient(), `select $1::${type} as value`, [text])).toEqual({ value: expected });
  });

  it("is read the same on a pipelined connection, such as a lane's", async () => {
    const client = newClient({}, { pipeline: true });
    await client.connect();
    const results = await Promise.all([
      client.query("select 1::int8 as n"),
      client.query("select 2::int8 as n"),
    ]);
    await client.end();
    expect(results.map((result) => result.rows)).toEqual([[{ n: 1n }], [{ n: 2n }]]);
  });

  it("is read as before by other users of pg in this process", async () => {
    const foreign = new Client(url);
    expect(await firstRow(foreign, "select 1::int8 as value")).toEqual({ value: "1" });
  });
});

describe("a connection", () => {
  beforeAll(() => firstRow(newClient(), "drop role if exists connection_test"));
  beforeAll(() => firstRow(newClient(), "create role connection_test"));
  afterAll(() => firstRow(newClient(), "drop role connection_test"));

  it("speaks UTC and ISO, under its name and role, from its first query on", async () => {
    const client = newClient({ role: "connection_test" });
    const sql = `select current_user as role, current_setting('TimeZone') as zone,
      current_setting('DateStyle') as style, current_setting('application_name') as name`;
    expect(await firstRow(client, sql)).toEqual({
      role: "connection_test",
      zone: "UTC",
      style: "ISO, MDY",
      name: "bursar-test",
    });
  });

  it("reads and decides the same, whatever the database has as its defaults", async () => {
    const database = await createTestDatabase();
    const defaults = {
      TimeZone: "Asia/Kathmandu",
      DateStyle: "SQL, DMY",
      bytea_output: "escape",
      standard_conforming_strings: "off",
      default_transaction_isolation: "serializable",
    };
    const name = new URL(database.url).pathname.slice(1);
    for (const [setting, value] of Object.entries(defaults))
      await firstRow(newClient(), `alter database ${name} set ${setting} = '${value}'`);
    const sql = `select timestamptz '2026-01-31 12:00:00+02' as at, '\\\\' as backslashes,
      '\\xff00'::bytea::text as bytes, current_setting('transaction_isolation') as isolation`;
    expect(await firstRow(newClient({ url: database.url }), sql)).toEqual({
      at: parseInstant("2026-01-31T10:00:00Z"),
      backslashes: "\\\\",
      bytes: "\\xff00",
      isolation: "read committed",
    });
    await database.drop();
  });

  it("keeps options of the URL, but not its own role", async () => {
    const own = new URL(url);
    own.searchParams.set("options", "-c work_mem=5MB -c role=postgres");
    const client = newClient({ url: own.href, role: "connection_test" });
    const sql = "select current_user as role, current_setting('work_mem') as memory";
    expect(await firstRow(client, sql)).toEqual({ role: "connection_test", memory: "5MB" });
  });

  it("refuses a role that could smuggle in other options", () => {
    expect(() => newClient({ role: "x -c fsync=off" })).toThrow("not a role name");
  });

  it("ends a statement at its limit", async () => {
    const client = newClient({ statementTimeoutSeconds: 0.05 });
    await expect(firstRow(client, "select pg_sleep(10)")).rejects.toThrow("statement timeout");
  });

  it("that breaks while idle in the pool is reported and replaced", async () => {
    const reported = Promise.withResolvers<string>();
    const log = { ...silentLog, warn: (_: object, message: string) => reported.resolve(message) };
    const pool = openPool({ url, applicationName: "bursar-test", log });
    const { rows } = await pool.query<{ pid: number }>("select pg_backend_pid() as pid");
    await firstRow(newClient(), "select pg_terminate_backend($1)", [rows[0]!.pid]);
    expect(await reported.promise).toBe("an idle database connection broke");
    expect((await pool.query("select 1 as n")).rows).toEqual([{ n: 1 }]);
    await pool.end();
  });
});
