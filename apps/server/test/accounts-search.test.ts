/** An administrator finds an account by whatever is known of its owner. */
import type { AccountId } from "@bursar/contract/ids";
import { createAccount } from "@bursar/engine/account/create";
import { afterAll, beforeAll, expect, it } from "vitest";
import { peopleOf, type Signed } from "./people-of.ts";
import { type Running, startRunning } from "./running.ts";

let running: Running;
let grace: Signed;
let organization: { id: string; accountId: string };
beforeAll(async () => {
  running = await startRunning();
  grace = await peopleOf(running)("grace.hopper");
  organization = (await grace.post("/v1/organizations", { name: "Compilers & Söhne" })).body;
  for (const [id, name] of [
    ["acct_plain", "Acme 100% Rabatt"],
    ["acct_under", "snake_case"],
    ["acct_upper", "ÅNGSTRÖM labs"],
  ] as const)
    await createAccount(running.engine, { id: id as AccountId, name });
});
afterAll(() => running.close());

const find = (search: string, more = "") =>
  running.call(running.adminKey, "GET", `/v1/accounts?search=${encodeURIComponent(search)}${more}`);
const found = async (search: string) =>
  (await find(search)).body.accounts.map(({ id }: { id: string }) => id);

it("by any part of an e-mail, a username, a name or an id, in any case", async () => {
  for (const part of ["hopper@example", "GRACE.HOP", grace.id, grace.id.slice(8, 20), grace.accountId, "gr"])
    expect([part, await found(part)]).toEqual([part, [grace.accountId]]);
  for (const part of ["compilers", "& SÖHNE", organization.id.slice(2)])
    expect([part, await found(part)]).toEqual([part, [organization.accountId]]);
  expect(await found("ångström")).toEqual(["acct_upper"]);
  expect(await found("acct_pl")).toEqual(["acct_plain"]);
});

it("with what a pattern would mean taken by the letter, and a short text only as a beginning", async () => {
  expect(await found("100%")).toEqual(["acct_plain"]);
  expect(await found("%")).toEqual([]);
  expect(await found("_")).toEqual([]);
  expect(await found("snake_")).toEqual(["acct_under"]);
  expect(await found("snakeXcase")).toEqual([]);
  expect(await found("\\")).toEqual([]);
  expect(await found("hop")).toEqual([grace.accountId]);
  expect(await found("ho")).toEqual([]);
  expect(await found("nobody at all")).toEqual([]);
});

it("with the balance and the owner, page by page", async () => {
  const grant = { accountId: grace.accountId, amount: "12.5" };
  await running.call(running.adminKey, "POST", "/v1/grants", grant);
  const owner = { kind: "person", id: grace.id, username: "grace.hopper", email: "grace.hopper@example.org" };
  const { body } = await find("grace.hopper");
  expect(body).toMatchObject({ accounts: [{ available: "12.5", owner }], nextCursor: null });
  const shown = await running.call(running.adminKey, "GET", `/v1/accounts/${organization.accountId}`);
  expect(shown.body.owner).toMatchObject({ kind: "organization", id: organization.id, email: null });
  const [plain] = (await find("acct_plain")).body.accounts;
  expect(plain.owner).toBeNull();
  const all = await found("acct_");
  const walked: string[] = [];
  for (let cursor = ""; ; ) {
    const page = (await find("acct_", `&limit=2${cursor}`)).body;
    walked.push(...page.accounts.map(({ id }: { id: string }) => id));
    if (page.nextCursor === null) break;
    cursor = `&cursor=${page.nextCursor}`;
  }
  expect(walked).toEqual(all);
  expect(all.length).toBeGreaterThan(4);
});

it("never by a text of several lines, and never without the admin key", async () => {
  for (const wrong of ["", " ", "a\nb", "a\u0000b", "x".repeat(201)]) {
    const { status, body } = await find(wrong);
    expect([wrong, status, body.error.param]).toEqual([wrong, 422, "search"]);
  }
  expect((await grace.get("/v1/accounts?search=grace")).status).toBe(403);
});

it("through the indexes", async () => {
  const client = await running.engine.pool.connect();
  try {
    await client.query("begin");
    await client.query("set local enable_seqscan = off");
    for (const [table, columns, index] of [
      ["accounts", ["account_id", "name"], "accounts_search"],
      ["identity.people", ["id", "email", "username", "name"], "people_search"],
      ["organizations", ["organization_id", "name"], "organizations_search"],
    ] as const) {
      const where = columns.map((column) => `${column} ilike '%hop%'`).join(" or ");
      const { rows } = await client.query(`explain select 1 from ${table} where ${where}`);
      expect(JSON.stringify(rows)).toContain(index);
    }
    await client.query("rollback");
  } finally {
    client.release();
  }
});
