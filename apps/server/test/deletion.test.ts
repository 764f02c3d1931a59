/** What is left of somebody who is deleted. */
import type { AccountId } from "@bursar/contract/ids";
import { credits } from "@bursar/contract/money";
import { grant } from "@bursar/engine/grant/grant";
import { notify } from "@bursar/engine/notice/notify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser } from "./browser.ts";
import { password, peopleOf, type Signed } from "./people-of.ts";
import { type Running, startRunning } from "./running.ts";
import { enrol } from "./totp.ts";

let running: Running;
let root: Signed;

beforeAll(async () => {
  running = await startRunning();
  root = await peopleOf(running)("root", "admin");
});
afterAll(() => running.close());

const deleted = (username: string) => running.call(root.token, "DELETE", `/api/auth/admin/users/${username}`);

/** The tables in which a row says this, in any of its columns. */
async function tablesThatSay(text: string): Promise<string[]> {
  const { pool } = running.engine;
  const { rows } = await pool.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname in ('public', 'identity') order by 1`,
  );
  expect(rows.length).toBeGreaterThan(50);
  const found = [];
  for (const { name } of rows) {
    const { rowCount } = await pool.query(
      `select 1 from ${name} t where strpos(lower(t::text), lower($1)) > 0 limit 1`,
      [text],
    );
    if (rowCount === 1) found.push(name);
  }
  return found;
}

/** Somebody who has left something wherever people do. */
async function grace(): Promise<Signed> {
  const person = await peopleOf(running)("ghopper");
  const accountId = person.accountId as AccountId;
  const facts = { accountId, source: "purchase", by: "test" } as const;
  await grant(running.engine, { ...facts, id: "grant_of_grace" as never, amount: credits("10") });
  await person.post("/v1/spend", { id: "spent-once", amount: "1" });
  const chat = await person.post("/api/chat/sessions", { modelId: "small", title: "ghopper's plans" });
  expect(chat.status).toBe(201);
  const notice = {
    accountId,
    id: "low",
    kind: "credit_warning",
    title: "Low",
    text: "Dear ghopper: low",
  } as const;
  await notify(running.engine.pool, running.clock, { ...notice, mail: true });
  const browser = openBrowser(running.url);
  await browser.post("/api/identity/sign-in/username", { username: "ghopper", password });
  await enrol(browser, password);
  await running.call(null, "POST", "/api/auth/forgot-password", { email: "ghopper@example.org" });
  const { body } = await root.post("/v1/organizations", { name: "Navy" });
  const invite = { email: "ghopper@example.org", role: "member" };
  const { token } = (await root.post(`/v1/organizations/${body.id}/invites`, invite)).body;
  expect((await person.post("/v1/organization-invites/accept", { token })).status).toBe(201);
  return person;
}

test("no table says who somebody was, but the record of what administrators did; the books stay", async () => {
  const person = await grace();
  expect(await tablesThatSay("ghopper")).toEqual([
    "identity.people",
    "public.accounts",
    "public.admin_actions",
    "public.chat_sessions",
    "public.mails",
    "public.notices",
    "public.organization_invites",
  ]);
  expect((await deleted("ghopper")).status).toBe(200);
  expect(await tablesThatSay("ghopper")).toEqual(["public.admin_actions"]);
  // By an id that nobody else ever has.
  expect(await tablesThatSay(person.id)).toEqual(["public.entries", "public.organization_invites"]);
  const { body } = await running.call(running.adminKey, "GET", `/v1/accounts/${person.accountId}`);
  expect(body).toMatchObject({ name: person.accountId, owner: null, available: "9" });
});

test("whoever takes the name afterwards has nothing of theirs", async () => {
  const first = await peopleOf(running)("again");
  const facts = { accountId: first.accountId, source: "purchase", id: "grant_of_first", amount: "5" };
  expect((await root.post("/v1/grants", facts)).status).toBe(201);
  await running.call(null, "POST", "/api/auth/forgot-password", { email: "again@example.org" });
  const token = /token is:\s+(\S+)/.exec(running.mails.at(-1)!.text)![1];
  expect((await deleted("again")).status).toBe(200);
  const second = await peopleOf(running)("again");
  expect(second.accountId).not.toBe(first.accountId);
  expect((await second.get("/v1/balance")).body.available).toBe("0");
  const reset = { token, newPassword: "a thief's horse" };
  expect((await running.call(null, "POST", "/api/auth/reset-password", reset)).status).toBe(400);
});
