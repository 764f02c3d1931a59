/** What is left of somebody who is deleted. */
import type { AccountId } from "@bursar/contract/ids";
import { credits } from "@bursar/contract/money";
import { grant } from "@bursar/engine/grant/grant";
import { deliverMails } from "@bursar/engine/mail/deliver";
import type { MailMessage } from "@bursar/engine/mail/mail";
import { notify } from "@bursar/engine/notice/notify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBrowser } from "./browser.ts";
import type { Answer } from "./calling.ts";
import { password, peopleOf, type Signed } from "./people-of.ts";
import { type Running, startRunning } from "./running.ts";
import { codeOf, enrol } from "./totp.ts";

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

let graces = 0;

/** Somebody who has left something wherever people do. */
async function grace(name: string): Promise<Signed> {
  const person = await peopleOf(running)(name);
  const accountId = person.accountId as AccountId;
  const facts = { accountId, source: "purchase", by: "test" } as const;
  await grant(running.engine, { ...facts, id: `grant_of_grace_${++graces}` as never, amount: credits("10") });
  await person.post("/v1/spend", { id: "spent-once", amount: "1" });
  const chat = await person.post("/api/chat/sessions", { modelId: "small", title: `${name}'s plans` });
  expect(chat.status).toBe(201);
  const notice = {
    accountId,
    id: "low",
    kind: "credit_warning",
    title: "Low",
    text: `Dear ${name}: low`,
  } as const;
  await notify(running.engine.pool, running.clock, { ...notice, mail: true });
  await running.call(null, "POST", "/api/auth/forgot-password", { email: `${name}@example.org` });
  const { body } = await root.post("/v1/organizations", { name: "Navy" });
  const invite = { email: `${name}@example.org`, role: "member" };
  const { token } = (await root.post(`/v1/organizations/${body.id}/invites`, invite)).body;
  expect((await person.post("/v1/organization-invites/accept", { token })).status).toBe(201);
  const other = await root.post("/v1/organizations", { name: "Army" });
  expect((await root.post(`/v1/organizations/${other.body.id}/invites`, invite)).status).toBe(201);
  const named = { accountId, name: "ghopper's laptop" };
  expect((await running.call(running.adminKey, "POST", "/v1/keys", named)).status).toBe(201);
  return person;
}

test("no table says who somebody was, but the record of what administrators did; the books stay", async () => {
  const person = await grace("ghopper");
  const browser = openBrowser(running.url);
  await browser.post("/api/identity/sign-in/username", { username: "ghopper", password });
  await enrol(browser, password);
  expect(await tablesThatSay("ghopper")).toEqual([
    "identity.people",
    "public.accounts",
    "public.admin_actions",
    "public.api_keys",
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

test("nobody comes in by an invite to somebody who was deleted, and one to an address that anybody may claim stays", async () => {
  const { people } = running.identity;
  const { body: organization } = await root.post("/v1/organizations", { name: "Fleet" });
  const path = `/v1/organizations/${organization.id}/invites`;
  const tokenOf = async (email: string) => (await root.post(path, { email, role: "member" })).body.token;
  const [theirs, claimed] = [await tokenOf("proved@example.org"), await tokenOf("claimed@example.org")];
  await peopleOf(running)("proved");
  await people.create({ username: "claimed", email: "claimed@example.org", password, emailVerified: false });
  for (const name of ["proved", "claimed"]) expect((await deleted(name)).status).toBe(200);
  expect(await tablesThatSay("proved@example.org")).toEqual(["public.admin_actions"]);
  expect((await root.get(path)).body.invites).toMatchObject([{ email: "claimed@example.org" }]);
  const accept = async (name: string, token: string) =>
    (await (await peopleOf(running)(name)).post("/v1/organization-invites/accept", { token })).status;
  expect(await accept("proved", theirs)).toBeGreaterThanOrEqual(400);
  expect(await accept("claimed", claimed)).toBe(201);
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

const fields = (answer: Answer) => [answer.status, answer.body.error?.code];

describe("somebody who asks for it themselves", () => {
  const preview = async (person: Signed) => (await person.get("/v1/deletion")).body;
  const leave = (person: Signed, sent: object = {}) =>
    person.post("/v1/deletion", { confirm: "1000", password, ...sent });

  test("is told what is lost, what ends and what stands in the way, and nothing is changed by looking", async () => {
    const person = await peopleOf(running)("looker");
    const accountId = person.accountId as AccountId;
    const facts = { accountId, source: "purchase", by: "test" } as const;
    await grant(running.engine, { ...facts, id: "grant_of_looker" as never, amount: credits("10") });
    await person.post("/v1/holds", { id: "work", amount: "2" });
    await person.post("/v1/runs", { id: "tree", budget: "3" });
    await person.post("/v1/subscription", { id: "plan-of-looker", plan: "orbit", currency: "eur" });
    const { body: organization } = await person.post("/v1/organizations", { name: "Looking glass" });
    const told = await preview(person);
    expect(told).toMatchObject({
      ...{ accountId, username: "looker", email: "looker@example.org" },
      ...{ loses: "110", available: "105", held: "5", owed: "0", holds: 1, runs: 1, topUp: false },
      subscription: { id: "plan-of-looker", name: "Orbit" },
      organizations: [{ id: organization.id, role: "owner" }],
      stoppedBy: [{ code: "owner_needed" }],
      proof: { password: true, totpCode: false },
    });
    expect(await preview(person)).toEqual(told);
    const refused = await leave(person);
    expect(fields(refused)).toEqual([409, "owner_needed"]);
    expect(refused.body.error.message).toContain(`${organization.id} (Looking glass)`);
    expect((await person.get("/v1/balance")).status).toBe(200);
  });

  test("is gone at once with all sessions and keys; the books stay, and a mail that leaves no address says so", async () => {
    const person = await grace("hopper");
    const key = await running.engine.keys.create({ accountId: person.accountId as AccountId, by: "test" });
    if (key.kind !== "created") throw new Error("no key");
    const elsewhere = openBrowser(running.url);
    await elsewhere.post("/api/identity/sign-in/username", { username: "hopper", password });
    const enrolled = await enrol(elsewhere, password);
    const totpCode = codeOf(enrolled.secret, 1);
    expect((await preview(person)).proof).toEqual({ password: true, totpCode: true });
    const answer = await leave(person, { confirm: "9", totpCode });
    expect([answer.status, answer.body]).toEqual([200, { accountId: person.accountId, state: "deleted" }]);
    for (const { status } of [
      await person.get("/v1/balance"),
      await running.call(key.key, "GET", "/v1/balance"),
      await elsewhere.get("/v1/balance"),
      await leave(person),
      await running.call(null, "POST", "/api/auth/login", { username: "hopper", password }),
    ])
      expect(status).toBe(401);
    expect(await tablesThatSay("hopper")).toEqual(["public.admin_actions", "public.mails"]);
    expect(await tablesThatSay(person.id)).toEqual([
      ...["public.entries", "public.mails", "public.organization_invites"],
    ]);
    const sent: MailMessage[] = [];
    const server = { send: async (mail: MailMessage) => void sent.push(mail) };
    while ((await deliverMails({ ...running.engine, clock: running.clock }, server)) > 0);
    const [farewell] = sent.filter(({ to }) => to === "hopper@example.org");
    expect(farewell).toMatchObject({ subject: "You were deleted, as you asked" });
    expect(farewell!.text).toContain(person.accountId);
    expect(await tablesThatSay("hopper")).toEqual(["public.admin_actions"]);
    const { body } = await running.call(running.adminKey, "GET", `/v1/accounts/${person.accountId}`);
    expect(body).toMatchObject({ name: person.accountId, owner: null, available: "9" });
    expect((await peopleOf(running)("hopper")).accountId).not.toBe(person.accountId);
  });

  test("proves who they are and knows what is lost, or nothing is done", async () => {
    const person = await peopleOf(running)("careful");
    const accountId = person.accountId as AccountId;
    const facts = { accountId, source: "purchase", by: "test" } as const;
    await grant(running.engine, { ...facts, id: "grant_of_careful" as never, amount: credits("7") });
    const browser = openBrowser(running.url);
    await browser.post("/api/identity/sign-in/username", { username: "careful", password });
    const { secret, code } = await enrol(browser, password);
    expect(fields(await leave(person, { confirm: "6.999999" }))).toEqual([409, "more_is_lost"]);
    expect(fields(await person.post("/v1/deletion", { password }))).toEqual([422, "invalid_request"]);
    for (const [sent, error] of [
      [{ password: undefined }, "password_refused"],
      [{ password: "a wrong one" }, "password_refused"],
      [{}, "totp_refused"],
      [{ totpCode: code }, "totp_refused"],
      [{ totpCode: "000000" }, "totp_refused"],
    ] as const)
      expect([sent, ...fields(await leave(person, sent))]).toEqual([sent, 401, error]);
    expect((await person.get("/v1/balance")).body.available).toBe("7");
    expect((await leave(person, { totpCode: codeOf(secret, 1) })).body.state).toBe("deleted");
  });

  test("is no key, and no administrator", async () => {
    const account = await running.account();
    for (const [key, sent] of [
      [account.key, {}],
      [running.adminKey, {}],
    ] as const) {
      for (const method of ["GET", "POST"]) {
        const body = method === "GET" ? undefined : { confirm: "1000", password, ...sent };
        const answer = await running.call(key, method, "/v1/deletion", body);
        expect(fields(answer)).toEqual([403, "person_required"]);
      }
    }
    expect((await preview(root)).stoppedBy[0]).toMatchObject({ code: "is_administrator" });
    expect(fields(await leave(root))).toEqual([409, "is_administrator"]);
  });

  test("may not guess on: wrong passwords count with those of signing in", async () => {
    const person = await peopleOf(running)("guessed");
    for (let guess = 0; guess < 10; guess++)
      expect((await leave(person, { password: `guess ${guess}` })).status).toBe(401);
    const limited = await leave(person);
    expect(fields(limited)).toEqual([429, "rate_limited"]);
    expect(Number(limited.headers.get("retry-after"))).toBeGreaterThan(0);
    const login = await running.call(null, "POST", "/api/auth/login", { username: "guessed", password });
    expect(login.status).toBe(429);
  });

  test("is deleted once by any number of requests at once, and work under way is billed", async () => {
    const person = await peopleOf(running)("twice");
    const accountId = person.accountId as AccountId;
    const facts = { accountId, source: "purchase", by: "test" } as const;
    await grant(running.engine, { ...facts, id: "grant_of_twice" as never, amount: credits("10") });
    expect((await person.post("/v1/holds", { id: "stream", amount: "4" })).status).toBe(201);
    const answers = await Promise.all(Array.from({ length: 4 }, () => leave(person)));
    for (const { status, body } of answers)
      expect([status, body.state ?? body.error.code]).toEqual(
        status === 200 ? [200, "deleted"] : [401, "unauthenticated"],
      );
    expect(answers.some(({ status }) => status === 200)).toBe(true);
    const settled = await running.call(running.adminKey, "POST", "/v1/holds/stream/settle", {
      ...{ accountId, amount: "3" },
    });
    expect(settled.status).toBe(200);
    const { body } = await running.call(running.adminKey, "GET", `/v1/accounts/${accountId}`);
    expect(body).toMatchObject({ available: "7", held: "0", owner: null });
    const { rows } = await running.engine.pool.query("select 1 from mails where recipient = $1", [
      "twice@example.org",
    ]);
    expect(rows).toHaveLength(1);
  });
});

const BOOKS = "the books, under the account's id";
const BY = "the id of whoever did it, which nobody else ever has";
const WORDS = "the person's own words about their work, with the books";

/** What a deletion makes of each table with text: `gone` with the person or before them, `emptied`, or why it stays. */
const TABLES: Record<string, "gone" | "emptied" | { readonly stays: string }> = {
  accounts: "emptied",
  admin_action_outcomes: { stays: "the record of what administrators did" },
  admin_actions: { stays: "the record of what administrators did" },
  api_keys: "emptied",
  cap_counters: { stays: BOOKS },
  chat_messages: "gone",
  chat_sessions: "gone",
  code_tries: { stays: "ids and digests, for an hour" },
  data_keys: { stays: "nobody's name" },
  effects: { stays: BOOKS },
  encrypted_fields: { stays: "sealed, under the account's id" },
  entries: { stays: WORDS },
  expiry_notices: { stays: BOOKS },
  gift_batches: { stays: "an administrator's" },
  gift_cards: { stays: BOOKS },
  grant_expiries: { stays: BOOKS },
  grants: { stays: "what administrators have noted of credits" },
  holds: { stays: BOOKS },
  mails: "gone",
  notices: "emptied",
  organization_invites: "emptied",
  organization_members: "gone",
  organization_repositories: { stays: BY },
  organization_requests: { stays: WORDS },
  organizations: { stays: BY },
  payment_customers: { stays: "the provider's name for the account" },
  payment_disputes: { stays: BOOKS },
  payment_event_marks: { stays: "nobody's" },
  payment_events: { stays: "the provider's messages, for 90 days" },
  payment_method_removals: { stays: BOOKS },
  payment_refund_aliases: { stays: BOOKS },
  payment_refund_requests: { stays: BOOKS },
  payment_refunds: { stays: BOOKS },
  payment_setup_pages: { stays: "the provider's pages, for a day" },
  payments: { stays: BOOKS },
  price_books: { stays: BY },
  promised_grants: { stays: "on its way to becoming a grant" },
  promo_codes: { stays: BY },
  promo_redemptions: { stays: BOOKS },
  prompt_steps: { stays: "for a quarter of an hour, while a prompt runs alone" },
  prompts: { stays: "for a quarter of an hour, while a prompt runs alone" },
  quotas: { stays: BY },
  referral_codes: { stays: "a code, made at random" },
  referrals: { stays: BOOKS },
  refusals: { stays: WORDS },
  schema_migrations: { stays: "nobody's" },
  starter_grants: { stays: BOOKS },
  subscription_invoices: { stays: "what was bought, and by which card" },
  subscription_reversal_draws: { stays: BOOKS },
  subscription_reversals: { stays: BOOKS },
  subscription_terms: { stays: BOOKS },
  subscriptions: { stays: BOOKS },
  thinkers: { stays: "nobody's" },
  topup_policies: { stays: BY },
  topup_policy_changes: { stays: BY },
  usage_records: { stays: BOOKS },
  "identity.attempts": { stays: "digests, for a quarter of an hour" },
  "identity.deletions": "gone",
  "identity.device_codes": "gone",
  "identity.logins": "gone",
  "identity.people": "gone",
  "identity.refresh_tokens": "gone",
  "identity.sessions": "gone",
  "identity.signing_keys": { stays: "nobody's" },
  "identity.two_factors": "gone",
  "identity.used_codes": "gone",
  "identity.verifications": "gone",
};

test("no table with text is left out of a deletion without a reason", async () => {
  const { rows } = await running.engine.pool.query<{ name: string }>(
    `select distinct case table_schema when 'public' then '' else table_schema || '.' end || table_name as name
     from information_schema.columns
     where table_schema in ('public', 'identity') and data_type in ('text', 'json', 'jsonb', 'ARRAY')`,
  );
  expect(rows.map(({ name }) => name).toSorted()).toEqual(Object.keys(TABLES).toSorted());
});
