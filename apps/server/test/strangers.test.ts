/** What strangers reach of somebody's account: nothing. Every operation of the contract is asked by every kind of caller
 *  who may not, with the ids of somebody else's things, in requests that are made from the operation's own schemas. */
import type { AccountId, GrantId } from "@bursar/contract/ids";
import { credits } from "@bursar/contract/money";
import type { Operation } from "@bursar/contract/operation";
import { v1 } from "@bursar/contract/v1";
import { grant } from "@bursar/engine/grant/grant";
import { notify } from "@bursar/engine/notice/notify";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { openBrowser } from "./browser.ts";
import { password, peopleOf, type Signed } from "./people-of.ts";
import { type Running, startRunning } from "./running.ts";

let running: Running;
let victim: Signed;
let tables: { name: string }[] | undefined;
const callers: Record<string, string> = {};
const gone: Record<string, string> = {};

/** What a field of this name takes. */
const VALUES: Readonly<Record<string, () => unknown>> = {
  accountId: () => victim.accountId,
  amount: () => "1",
  budget: () => "1",
  book: () => ({ models: {} }),
  code: () => "AAAA-BBBB",
  count: () => 1,
  credits: () => "1000",
  currency: () => "eur",
  enabled: () => false,
  expiresAt: () => "2027-01-01T00:00:00Z",
  id: () => "asked-by-a-stranger",
  month: () => "2026-09",
  name: () => "name",
  operations: () => [
    { op: "spend", id: "batched", amount: "1", accountId: victim.accountId },
    { op: "release", id: "hold-of-victim", accountId: victim.accountId },
  ],
  paymentMethod: () => "pm_of_victim",
  plan: () => "galaxy",
  reason: () => "because",
};
/** Left out of the credits that a price is asked for, or a purchase says twice what it is of. */
const LEFT_OUT = new Set(["pack", "usage", "model"]);

/** The victim's things, by what is before their id in a path. */
const THINGS: Readonly<Record<string, () => string>> = {
  accounts: () => victim.accountId,
  holds: () => "hold-of-victim",
  runs: () => "run-of-victim",
  receipts: () => "spend-of-victim",
  notices: () => "notice-of-victim",
  grants: () => "grant_of_victim",
  payments: () => "pay_of_victim",
};

const operations = (Object.values(v1) as Operation[]).filter(
  ({ access }) => access === "account" || access === "admin",
);

/** A request's fields as their schema has them; without the account's name where the caller is to name none. */
function fieldsFor(
  schema: z.ZodType | undefined,
  namesAccount: boolean,
): Record<string, unknown> | undefined {
  const inner: unknown = schema instanceof z.ZodOptional ? schema.unwrap() : schema;
  if (!(inner instanceof z.ZodObject)) return undefined;
  const shape = inner.shape as Record<string, z.ZodType>;
  const filled: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(shape)) {
    if (!(name in VALUES) || LEFT_OUT.has(name)) continue;
    const isNeeded = !field.safeParse(undefined).success;
    if (name === "accountId" && !namesAccount && !isNeeded) continue;
    const value = VALUES[name]!();
    if (field.safeParse(value).success) filled[name] = value;
  }
  return filled;
}

async function ask(operation: Operation, token: string | null, namesAccount: boolean, headers = {}) {
  const path = operation.path.replace(/\{id\}/, () => {
    const thing = THINGS[operation.path.split("/")[2]!] ?? (() => "thing-of-victim");
    return thing();
  });
  const query = fieldsFor(operation.query, namesAccount);
  const body = fieldsFor(operation.body, namesAccount);
  const asked =
    query === undefined ? "" : `?${new URLSearchParams(query as Record<string, string>).toString()}`;
  return running.call(token, operation.method.toUpperCase(), path + asked, body, {
    "content-type": "application/json",
    ...headers,
  });
}

/** Every row of every table that is the account's. */
async function booksOf(accountId: string): Promise<string> {
  const { pool } = running.engine;
  tables ??= (
    await pool.query<{ name: string }>(
      `select table_name as name from information_schema.columns
       where column_name = 'account_id' and table_schema = 'public' order by 1`,
    )
  ).rows;
  const parts = tables.map(({ name }) => `select '${name}', t::text from ${name} t where account_id = $1`);
  const { rows } = await pool.query({
    text: `${parts.join(" union all ")} order by 1, 2`,
    values: [accountId],
  });
  return JSON.stringify(rows);
}

beforeAll(async () => {
  running = await startRunning();
  const person = peopleOf(running);
  victim = await person("victim");
  const accountId = victim.accountId as AccountId;
  const facts = { accountId, source: "purchase", by: "test" } as const;
  await grant(running.engine, { ...facts, id: "grant_of_victim" as GrantId, amount: credits("100") });
  await victim.post("/v1/spend", { id: "spend-of-victim", amount: "1", feature: "only-victims" });
  await victim.post("/v1/holds", { id: "hold-of-victim", amount: "1", ttlSeconds: 86_400 });
  await victim.post("/v1/runs", { id: "run-of-victim", budget: "5" });
  await victim.post("/v1/subscription", { plan: "orbit", currency: "eur" });
  const notice = { accountId, kind: "system_message", title: "For victims", text: "alone" } as const;
  await notify(running.engine.pool, running.clock, { ...notice, id: "notice-of-victim" });

  const account = await running.account();
  callers["another account's key"] = account.key;
  for (const role of ["user", "enduser", "supervisor"] as const)
    callers[role] = (await person(`stranger-${role}`, role)).token;
  // Once a member of the same organization.
  const former = await person("former");
  callers["a former member"] = former.token;
  const { id } = (await victim.post("/v1/organizations", { name: "Victims" })).body;
  const invite = { email: "former@example.org", role: "admin" };
  const { token } = (await victim.post(`/v1/organizations/${id}/invites`, invite)).body;
  await former.post("/v1/organization-invites/accept", { token });
  await victim.post(`/v1/organizations/${id}/remove`, { memberId: former.id });

  gone["nonsense"] = "bsk_nonsense";
  const key = async (expiresAt?: typeof running.clock.time) => {
    const made = await running.engine.keys.create({ accountId, by: "test", ...(expiresAt && { expiresAt }) });
    if (made.kind !== "created") throw new Error("no key");
    return made;
  };
  gone["an expired key"] = (await key((running.clock.time - 1) as typeof running.clock.time)).key;
  const revoked = await key();
  await running.engine.keys.revoke(revoked.id);
  gone["a revoked key"] = revoked.key;
  await victim.post("/api/auth/logout");
  gone["the token of an ended session"] = victim.token;
  await victim.signIn();
});
afterAll(() => running.close());

describe.each(operations.map((operation) => [operation.name, operation] as const))("%s", (_, operation) => {
  it("is closed to whoever is nobody, or no more", async () => {
    expect((await ask(operation, null, true)).status).toBe(401);
    for (const [who, token] of Object.entries(gone))
      expect([who, (await ask(operation, token, true)).status]).toEqual([who, 401]);
  });

  it("reads and changes nothing of somebody else's", async () => {
    const before = await booksOf(victim.accountId);
    for (const [who, token] of Object.entries(callers)) {
      const named = await ask(operation, token, true);
      expect([who, named.status, named.body.error?.code]).toEqual([who, 403, "admin_required"]);
      const unnamed = await ask(operation, token, false, { "x-account-id": victim.accountId });
      expect(JSON.stringify(unnamed.body)).not.toMatch(
        new RegExp(`${victim.accountId}|only-victims|For victims`),
      );
    }
    expect(await booksOf(victim.accountId)).toBe(before);
  });
});

it("a cookie changes nothing from another page, whatever is asked", async () => {
  const browser = openBrowser(running.url);
  await browser.post("/api/identity/sign-in/username", { username: "victim", password });
  const cookie = [...browser.jarOf()].map(([name, value]) => `${name}=${value}`).join("; ");
  const before = await booksOf(victim.accountId);
  for (const operation of operations.filter(({ method }) => method !== "get")) {
    const { status } = await ask(operation, null, true, { cookie, origin: "https://evil.example" });
    expect([operation.name, status]).toEqual([operation.name, 403]);
  }
  expect(await booksOf(victim.accountId)).toBe(before);
});
