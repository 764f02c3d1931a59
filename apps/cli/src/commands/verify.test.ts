import { createTestDatabase, type TestDatabase } from "@bursar/database/testing";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bursar } from "../testing/bursar.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.drop());

const verify = (...args: string[]) =>
  bursar(["verify", ...args], { environment: { DATABASE_URL: database.url } });

test("a whole ledger is called whole", async () => {
  const { code, stdout } = await verify();
  expect(stdout).toContain("The ledger is whole. Replayed 0 entries of 0 accounts.");
  expect(code).toBe(0);
});

test("credits that no entry explains are found, named and end with 1", async () => {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query(
    `insert into accounts (account_id, name, available, issued, hash, created_at)
     values ('acct_forged', 'Forged', 5, 5, '\\x00', now())`,
  );
  await client.end();
  const { code, stdout } = await verify("--json");
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ accounts: 1, problems: [{ accountId: "acct_forged" }] });
  expect((await verify()).stdout).toMatch(/FAIL .*\n[^]*acct_forged/);
});

test("a database that is not there is told as such", async () => {
  const { code, stderr } = await verify("--database-url", "postgresql://127.0.0.1:1/none");
  expect(code).toBe(5);
  expect(stderr).toContain("The database cannot be read");
});

test("without any database it says where it looked", async () => {
  const { code, stderr } = await bursar(["verify"], { environment: { BURSAR_DATA_DIR: "/nowhere" } });
  expect(code).toBe(5);
  expect(stderr).toContain("DATABASE_URL");
});
