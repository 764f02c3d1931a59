import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Pool, PoolClient } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { silentLog } from "./log.ts";
import { openPool } from "./pool.ts";
import { createTestDatabase, type TestDatabase } from "./testing/database.ts";
import { withSerializableTransaction, withTransaction } from "./transaction.ts";

let emptyFolder: string;
let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  emptyFolder = await mkdtemp(join(tmpdir(), "bursar-migrations-"));
  database = await createTestDatabase({ directory: emptyFolder });
  pool = openPool({ url: database.url, applicationName: "test", log: silentLog });
  await pool.query("create table account (id int primary key, credits int8 not null)");
});

beforeEach(async () => {
  await pool.query("truncate account");
  await pool.query("insert into account values (1, 0), (2, 0)");
});

afterAll(async () => {
  await pool.end();
  await database.drop();
  await rm(emptyFolder, { recursive: true });
});

const readCredits = async (client: Pool | PoolClient, id: number): Promise<bigint> =>
  (await client.query<{ credits: bigint }>("select credits from account where id = $1", [id])).rows[0]!
    .credits;

/** Reads, then writes what it read plus one: correct only if nobody interferes. */
async function incrementUnsafely(client: PoolClient, id: number): Promise<void> {
  const credits = await readCredits(client, id);
  await client.query("update account set credits = $2 where id = $1", [id, credits + 1n]);
}

describe("withTransaction", () => {
  it("commits what was done and gives back the result", async () => {
    expect(await withTransaction(pool, (client) => incrementUnsafely(client, 1).then(() => "done"))).toBe(
      "done",
    );
    expect(await readCredits(pool, 1)).toBe(1n);
  });

  it("undoes everything when the work throws", async () => {
    const attempt = withTransaction(pool, async (client) => {
      await incrementUnsafely(client, 1);
      throw new Error("changed my mind");
    });
    await expect(attempt).rejects.toThrow("changed my mind");
    expect(await readCredits(pool, 1)).toBe(0n);
  });

  it("does not claim success when a failed statement's error was swallowed", async () => {
    const attempt = withTransaction(pool, async (client) => {
      await incrementUnsafely(client, 1);
      await client.query("select 1 / 0").catch(() => null);
    });
    await expect(attempt).rejects.toThrow("was rolled back");
  });

  it("never lends out again a connection that broke", async () => {
    const attempt = withTransaction(pool, async (client) => {
      await client.query("select pg_terminate_backend(pg_backend_pid())");
    });
    await expect(attempt).rejects.toThrow("terminating connection");
    expect(await readCredits(pool, 1)).toBe(0n);
  });

  it("survives a connection that breaks while its holder does something else", async () => {
    const attempt = withTransaction(pool, async (client) => {
      const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
      const closed = new Promise((resolve) => client.once("end", resolve));
      await pool.query("select pg_terminate_backend($1)", [rows[0]!.pid]);
      await closed;
    });
    await expect(attempt).rejects.toThrow();
    expect(await readCredits(pool, 1)).toBe(0n);
  });
});

describe("withSerializableTransaction", () => {
  it("loses no update among many that read and write the same row", async () => {
    const increments = Array.from({ length: 8 }, () =>
      withSerializableTransaction(pool, (client) => incrementUnsafely(client, 1), { attempts: 100 }),
    );
    await Promise.all(increments);
    expect(await readCredits(pool, 1)).toBe(8n);
  });

  it("tries again after 40001 and after 40P01", async () => {
    const codes = ["40001", "40P01"];
    let runs = 0;
    const result = await withSerializableTransaction(pool, async (client) => {
      const code = codes[runs++];
      if (code !== undefined) await client.query(`do $$ begin raise sqlstate '${code}'; end $$`);
      return "decided";
    });
    expect([result, runs]).toEqual(["decided", 3]);
  });

  it("gives up with the conflict after the attempts allowed", async () => {
    let runs = 0;
    const attempt = withSerializableTransaction(
      pool,
      async (client) => {
        runs++;
        await client.query("do $$ begin raise sqlstate '40001'; end $$");
      },
      { attempts: 3 },
    );
    await expect(attempt).rejects.toMatchObject({ code: "40001" });
    expect(runs).toBe(3);
  });

  it("does not repeat work that failed for another reason", async () => {
    let runs = 0;
    const attempt = withSerializableTransaction(pool, async () => {
      runs++;
      throw new Error("no");
    });
    await expect(attempt).rejects.toThrow("no");
    expect(runs).toBe(1);
  });
});
