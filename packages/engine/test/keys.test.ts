import { openPool } from "@bursar/database/pool";
import { createTestDatabase, type TestDatabase } from "@bursar/database/testing";
import type pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openKeys } from "../src/key/keys.ts";
import { silentLog } from "./ledger-on-test-database.ts";
import { systemClock } from "./load-worker.ts";

let database: TestDatabase;
let pool: pg.Pool;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = openPool({ url: database.url, applicationName: "test", log: silentLog });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

it("two processes that start with one admin key on one database both go on, and the key is there once", async () => {
  const secret = "an admin key that the environment gives, 0123456789";
  const start = () => {
    const keys = openKeys({ pool, clock: systemClock, log: silentLog });
    return keys.create({ accountId: null, secret, name: "BURSAR_ADMIN_KEY", by: "system:environment" });
  };
  const outcomes = await Promise.all([start(), start(), start()]);
  expect(outcomes.filter(({ kind }) => kind === "created")).toHaveLength(1);
  const { rows } = await pool.query("select count(*)::int as keys from api_keys");
  expect(rows).toEqual([{ keys: 1 }]);
});
