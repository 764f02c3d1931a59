import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createConnection, createServer, type Socket } from "node:net";
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

describe("the sessions that will serve", () => {
  const inRole = async (setting: string, work: () => Promise<void>) => {
    await query("drop role if exists session_user_1");
    await query("create role session_user_1 login superuser password 'pw'");
    await query(`alter role session_user_1 set ${setting}`);
    try {
      await work();
    } finally {
      await query("drop owned by session_user_1");
      await query("drop role session_user_1");
    }
  };
  const urlOfRole = () => {
    const url = new URL(database.url);
    [url.username, url.password] = ["session_user_1", "pw"];
    return url.href;
  };

  it("look where migrations make their tables, or nothing is made", async () => {
    await query("create schema session_user_1");
    await inRole("work_mem = '5MB'", async () => {
      const attempt = migrate({ url: urlOfRole(), directory });
      await expect(attempt).rejects.toThrow("alter role session_user_1 set search_path = public;");
      expect(await query("select from pg_tables where tablename = 'note'")).toEqual([]);
    });
  });

  it("may use that schema, or nothing is made", async () => {
    await query("revoke usage on schema public from public");
    await expect(run()).rejects.toThrow('grant usage on schema "public" to bursar_app;');
    await query("grant usage on schema public to bursar_app");
    expect((await run()).applied).toHaveLength(2);
  });

  it("are of the application's role, or nothing is made: a pooler that drops their settings is refused", async () => {
    const { url, close } = await behindForgetfulPooler(database.url);
    try {
      await expect(migrate({ url, directory })).rejects.toThrow("requests would be served as postgres");
      expect(await query("select from pg_tables where tablename = 'note'")).toEqual([]);
    } finally {
      await close();
    }
  });

  it("and the migrations' own go by no limits of the login", async () => {
    await write("0003_slow.sql", "select pg_sleep(0.2)");
    await inRole("statement_timeout = '100ms'", async () => {
      expect((await migrate({ url: urlOfRole(), directory })).applied).toHaveLength(3);
    });
  });
});

/** Passes everything on but the start-up packet's options, as a pooler does that is told to ignore them. */
async function behindForgetfulPooler(databaseUrl: string) {
  const url = new URL(databaseUrl);
  const socketPath = join(url.searchParams.get("host")!, ".s.PGSQL.5432");
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const postgres = createConnection(socketPath);
    for (const socket of [client, postgres]) sockets.add(socket.on("error", () => undefined));
    client.once("data", (startUp) => {
      postgres.write(withoutOptions(startUp));
      client.pipe(postgres).pipe(client);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url.searchParams.delete("host");
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: url.href, close };
}

/** A length, a version, and names with their values, each ended by a NUL. */
function withoutOptions(startUp: Buffer): Buffer {
  const words = startUp.toString("utf8", 8).split("\0");
  const at = words.indexOf("options");
  const rest = Buffer.from(words.toSpliced(at, 2).join("\0"));
  const head = Buffer.from(startUp.subarray(0, 8));
  head.writeUInt32BE(rest.length + 8);
  return Buffer.concat([head, rest]);
}

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
    await write("0003_newer.sql", "create table newer ()");
    await run();
    await rm(join(directory, "0003_newer.sql"));
    expect(await pendingMigrations({ pool, directory })).toEqual([]);
    await pool.end();
  });
});
