import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { connectionOptions } from "./connection.ts";
import { silentLog } from "./log.ts";
import { migrate, pendingMigrations } from "./migrate.ts";
import { openPool } from "./pool.ts";
import { createTestDatabase, type TestDatabase } from "./testing/database.ts";

const CREATE = "create table note (id int primary key);\n";
const ALTER = "alter table note add column body text;\ngrant select, insert on note to bursar_app;\n";

let empty: string;
let directory: string;
let database: TestDatabase;

beforeEach(async () => {
  empty = await mkdtemp(join(tmpdir(), "bursar-migrations-"));
  directory = await mkdtemp(join(tmpdir(), "bursar-migrations-"));
  await write("0001_note.sql", CREATE);
  await write("0002_body.sql", ALTER);
  database = await createTestDatabase({ directory: empty });
});

afterEach(async () => {
  await database.drop();
  await rm(empty, { recursive: true });
  await rm(directory, { recursive: true });
});

const write = (name: string, sql: string) => writeFile(join(directory, name), sql);
const run = () => migrate({ url: database.url, directory });

async function query(sql: string): Promise<unknown[]> {
  const client = new Client(connectionOptions({ url: database.url, applicationName: "test" }));
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

describe("migrate", () => {
  it("applies what is missing, in order, once", async () => {
    expect(await run()).toEqual({ applied: ["0001_note", "0002_body"], already: 0 });
    expect(await run()).toEqual({ applied: [], already: 2 });
    await write("0003_more.sql", "create table more ()");
    expect(await run()).toEqual({ applied: ["0003_more"], already: 2 });
  });

  it("has nothing to do for an empty folder, but refuses a missing one", async () => {
    expect(await migrate({ url: database.url, directory: empty })).toEqual({ applied: [], already: 0 });
    await expect(migrate({ url: database.url, directory: join(empty, "none") })).rejects.toThrow(
      "no such file",
    );
  });

  it("refuses an applied file that has changed, and names it", async () => {
    await run();
    await write("0001_note.sql", `${CREATE}-- changed`);
    await expect(run()).rejects.toThrow("migration 0001_note was changed");
  });

  it("takes a file with Windows line ends for the same", async () => {
    await run();
    const sql = await readFile(join(directory, "0002_body.sql"), "utf8");
    await write("0002_body.sql", sql.replaceAll("\n", "\r\n"));
    expect((await run()).already).toBe(2);
  });

  it("refuses a database that is newer than the code", async () => {
    await run();
    await rm(join(directory, "0002_body.sql"));
    await expect(run()).rejects.toThrow("0002_body, which this code does not know");
  });

  it.each([
    ["0002_twice.sql", "is used twice"],
    ["0004_gap.sql", "comes after a gap"],
    ["third.sql", "a migration is named"],
  ])("refuses the file name %s", async (name, message) => {
    await write(name, "select 1");
    await expect(run()).rejects.toThrow(message);
  });

  it("keeps nothing of a migration that fails half-way, and all before it", async () => {
    await write("0003_broken.sql", "create table half (); select 1 / 0;");
    await expect(run()).rejects.toThrow("migration 0003_broken failed: division by zero");
    expect(await query("select name from schema_migrations order by name")).toHaveLength(2);
    expect(await query("select from pg_tables where tablename = 'half'")).toEqual([]);
  });

  it("is done once when several processes do it at the same time", async () => {
    const results = await Promise.all([run(), run(), run(), run()]);
    expect(results.flatMap((result) => result.applied)).toEqual(["0001_note", "0002_body"]);
  });

  it("explains to an administrator what a user without CREATEROLE lacks", async () => {
    const other = await createTestDatabase({ directory: empty });
    const url = new URL(other.url);
    [url.username, url.password] = ["limited_user", "pw"];
    await query("drop role if exists limited_user");
    await query("create role limited_user login password 'pw'");
    const attempt = migrate({ url: url.href, directory });
    await expect(attempt).rejects.toThrow("grant bursar_app to limited_user;");
    await other.drop();
    await query("drop role limited_user");
  });
});

const asApplication = () =>
  new Client(connectionOptions({ url: database.url, applicationName: "test", role: "bursar_app" }));

describe("the application role", () => {
  it("may do what a migration granted, and nothing else", async () => {
    await run();
    const client = asApplication();
    await client.connect();
    expect((await client.query("select current_user as name")).rows).toEqual([{ name: "bursar_app" }]);
    await client.query("insert into note (id) values (1)");
    await expect(client.query("update note set body = 'x'")).rejects.toThrow("permission denied");
    await expect(client.query("delete from note")).rejects.toThrow("permission denied");
    await expect(client.query("create table own ()")).rejects.toThrow("permission denied");
    await client.end();
  });

  it("can ask which migrations are pending", async () => {
    await migrate({ url: database.url, directory: empty });
    const role = "bursar_app";
    const pool = openPool({ url: database.url, applicationName: "test", role, log: silentLog });
    expect(await pendingMigrations({ pool, directory })).toEqual(["0001_note", "0002_body"]);
    await run();
    expect(await pendingMigrations({ pool, directory })).toEqual([]);
    await pool.end();
  });
});
