import type { AccountId, GrantId } from "@bursar/contract/ids";
import { credits } from "@bursar/contract/money";
import { v1 } from "@bursar/contract/v1";
import { grant } from "@bursar/engine/grant/grant";
import { notify } from "@bursar/engine/notice/notify";
import { type SandboxStripe, startSandboxStripe } from "@bursar/sandbox/stripe";
import { openStripe } from "@bursar/stripe/open";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { SANDBOX_SALES } from "../src/sandbox/sales.ts";
import { PRICES, type Running, startRunning } from "./running.ts";

let running: Running;
let stripe: SandboxStripe;

beforeAll(async () => {
  stripe = await startSandboxStripe({ now: () => Math.floor(running.clock.time / 1000) });
  running = await startRunning(undefined, 0, {}, { payments: openStripe(stripe) });
  await running.engine.prices.put({ body: { ...PRICES, credits: SANDBOX_SALES }, by: "test" });
});
afterAll(async () => {
  await running.close();
  await stripe.close();
});

const password = "correct horse 9";
let people = 0;

async function somebody() {
  const username = `exported${++people}`;
  const facts = { username, email: `${username}@example.org`, password, name: "Ada", emailVerified: true };
  const made = await running.identity.people.create(facts);
  if (made.kind !== "created") throw new Error("not made");
  const { accountId, id } = made.person;
  await give(accountId, "grant_first", "100");
  const login = await running.call(null, "POST", "/api/auth/login", { username, password });
  const key = await running.engine.keys.create({ accountId, by: "test", name: "laptop" });
  if (key.kind !== "created") throw new Error("no key");
  const call = (method: string, path: string, body?: unknown) =>
    running.call(login.body.accessToken, method, path, body);
  return { id, accountId, username, key: key.key, call };
}

const give = (accountId: AccountId, id: string, amount: string) =>
  grant(running.engine, {
    accountId,
    id: id as GrantId,
    amount: credits(amount),
    source: "purchase",
    notes: "a present",
    by: "test",
  });

/** Where the export says what a table holds of somebody, or why it says nothing of it. */
const TABLES: Readonly<Record<string, keyof Exported | { readonly not: string }>> = {
  accounts: "account",
  admin_action_outcomes: { not: "what administrators do is the operator's record" },
  admin_actions: { not: "what administrators do is the operator's record" },
  api_keys: "keys",
  cap_counters: { not: "sums of the entries" },
  chat_messages: "chats",
  chat_sessions: "chats",
  code_tries: { not: "against guessing, and forgotten within a day" },
  data_keys: { not: "a secret" },
  effects: { not: "on its way to becoming a notice" },
  encrypted_fields: { not: "secrets, and when a top-up was last triggered, which the policy says" },
  entries: "entries",
  expiry_notices: { not: "which notices were told" },
  gift_batches: { not: "an administrator's" },
  gift_cards: { not: "one that was redeemed is a grant" },
  grant_expiries: { not: "what the grants say" },
  grants: "grants",
  holds: { not: "what is open of the entries" },
  mails: { not: "on their way, and without their text once they have gone" },
  schema_migrations: { not: "nobody's" },
  notices: "notices",
  organization_invites: { not: "the organization's; it knows an address, not a person" },
  organization_members: "organizations",
  organization_repositories: { not: "the organization's" },
  organization_requests: "creditRequests",
  organizations: "organizations",
  payment_customers: { not: "the provider's name for the account" },
  payment_disputes: "payments",
  payment_event_marks: { not: "nobody's" },
  payment_events: { not: "the provider's messages; what they meant is in payments and invoices" },
  payment_method_removals: { not: "on its way to the provider" },
  payment_refund_aliases: { not: "the provider's names of refunds" },
  payment_refund_requests: "payments",
  payment_refunds: "payments",
  payment_setup_pages: { not: "the provider's pages, for a day" },
  payments: "payments",
  price_books: { not: "nobody's" },
  promised_grants: { not: "on its way to becoming a grant" },
  promo_codes: { not: "an administrator's" },
  promo_redemptions: { not: "a grant, which names the code" },
  prompt_steps: { not: "kept while a prompt runs alone" },
  prompts: { not: "kept while a prompt runs alone" },
  quotas: "quota",
  referral_codes: "referrals",
  referrals: "referrals",
  refusals: "refusals",
  sandbox_clock: { not: "nobody's" },
  starter_grants: { not: "on its way to becoming a grant" },
  subscription_invoices: "invoices",
  subscription_reversal_draws: "invoices",
  subscription_reversals: "invoices",
  subscription_terms: "subscriptions",
  subscriptions: "subscriptions",
  thinkers: { not: "nobody's" },
  topup_policies: "topUpPolicy",
  topup_policy_changes: "topUpPolicyChanges",
  usage_records: "usage",
  "identity.attempts": { not: "against guessing, and forgotten within a quarter of an hour" },
  "identity.deletions": { not: "for a moment, until the person is deleted" },
  "identity.device_codes": { not: "for some minutes, until a device is signed in" },
  "identity.logins": "person",
  "identity.people": "person",
  "identity.refresh_tokens": { not: "secrets of a session" },
  "identity.sessions": "person",
  "identity.signing_keys": { not: "secrets, nobody's" },
  "identity.two_factors": "person",
  "identity.used_codes": { not: "secrets" },
  "identity.verifications": { not: "secrets in mails, for an hour" },
};

type Exported = ReturnType<typeof v1.exportAccount.answer.parse>;

describe("the export", () => {
  it("is of the contract's shape and has whatever is known of the person and the account", async () => {
    const { id, accountId, username, key, call } = await somebody();
    const { pool, clock } = running.engine;
    const usage = { model: "small", inputTokens: 1000, cachedInputTokens: 0, outputTokens: 10 };
    await running.call(key, "POST", "/v1/spend", { id: "work", usage, metadata: { project: "kite" } });
    await running.call(key, "POST", "/v1/spend", { id: "much", amount: "5000" });
    await notify(pool, clock, {
      id: "told",
      accountId,
      kind: "system_message",
      title: "Hello",
      text: "There",
    });
    await call("POST", "/v1/payment-methods", { paymentMethod: "pm_card_visa" });
    expect((await call("POST", "/v1/purchases", { pack: "credits-1000", currency: "eur" })).status).toBe(201);
    await call("POST", "/v1/organizations", { name: "Kites" });
    await call("PUT", "/v1/referrals/code");
    const session = await call("POST", "/api/chat/sessions", { title: "About kites" });
    expect(session.status).toBe(201);

    const answer = await call("GET", "/v1/export");
    expect(answer.status).toBe(200);
    const parsed = v1.exportAccount.answer.strict().parse(answer.body);
    expect(parsed).toMatchObject({
      account: { id: accountId, owner: { id } },
      person: { id, username, name: "Ada", secondFactor: false, logins: [{ provider: "credential" }] },
      keys: [{ name: "laptop" }],
      usage: [{ reference: "work", inputTokens: 1000 }],
      refusals: [{ reference: "much", code: "insufficient_credits" }],
      payments: [{ kind: "purchase", amount: 200 }],
      paymentMethods: [{ brand: "visa" }],
      organizations: [{ name: "Kites", role: "owner" }],
      chats: [{ title: "About kites", messages: [] }],
    });
    expect(parsed.person!.sessions).toHaveLength(1);
    expect(parsed.grants.map(({ notes }) => notes)).toContain("a present");
    expect(parsed.notices.map(({ title }) => title)).toContain("Hello");
    expect(parsed.entries.find(({ reference }) => reference === "work")?.metadata).toEqual({
      project: "kite",
    });
    expect(parsed.entries.map(({ seq }) => seq)).toEqual(
      Array.from({ length: parsed.entries.length }, (_, index) => parsed.entries.length - index),
    );
    expect(JSON.stringify(answer.body)).not.toContain(key);
  });

  it("goes on over any number of pages, and is one JSON document", async () => {
    const { accountId, call } = await somebody();
    const operations = Array.from({ length: 450 }, (_, index) => ({
      op: "grant",
      id: `many_${String(index).padStart(3, "0")}`,
      amount: "1",
    }));
    const granted = await running.call(running.adminKey, "POST", "/v1/batch", { accountId, operations });
    expect(granted.body.results.filter(({ ok }: { ok: boolean }) => !ok)).toEqual([]);
    const { body } = await call("GET", "/v1/export");
    expect(body.grants).toHaveLength(451);
    expect(new Set(body.entries.map(({ seq }: { seq: number }) => seq)).size).toBe(451);
  });

  it("never has more than a part of a chat at hand, however long it is", async () => {
    const { accountId, call } = await somebody();
    const { pool } = running.engine;
    for (const title of ["long", "empty", "short"]) await call("POST", "/api/chat/sessions", { title });
    await pool.query(
      `insert into chat_messages (account_id, session_id, position, message_id, role, content, status, created_at)
       select account_id, session_id, n, 'msg_' || session_id || n, 'user', 'word ' || n, 'complete', now()
       from chat_sessions, generate_series(1, case title when 'long' then 250 when 'short' then 1 else 0 end) n
       where account_id = $1`,
      [accountId],
    );
    const asked = vi.spyOn(pool, "query");
    const { body } = await call("GET", "/v1/export");
    const answers = await Promise.all(asked.mock.results.map(({ value }) => value as unknown));
    asked.mockRestore();
    const lengths = answers.map((answer) => (answer as { rows?: unknown[] } | undefined)?.rows?.length ?? 0);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(100);
    const { chats } = v1.exportAccount.answer.parse(body);
    const said = new Map(chats.map(({ title, messages }) => [title, messages.map(({ content }) => content)]));
    expect(said.get("long")).toEqual(Array.from({ length: 250 }, (_, index) => `word ${index + 1}`));
    expect([said.get("short"), said.get("empty")]).toEqual([["word 1"], []]);
  });

  it("is for the person and for administrators, not for a key, and nobody gets another's", async () => {
    const [ada, bob] = [await somebody(), await somebody()];
    const byKey = await running.call(ada.key, "GET", "/v1/export");
    expect([byKey.status, byKey.body.error.code]).toEqual([403, "person_required"]);
    const foreign = await bob.call("GET", `/v1/export?accountId=${ada.accountId}`);
    expect([foreign.status, foreign.body.error.param]).toEqual([403, "accountId"]);
    expect((await running.call(null, "GET", "/v1/export")).status).toBe(401);
    const admin = (id: string) => running.call(running.adminKey, "GET", `/v1/export?accountId=${id}`);
    expect((await admin(ada.accountId)).body.person.id).toBe(ada.id);
    expect((await admin("acct_nobody")).body.error.code).toBe("account_unknown");
  });

  it("of an organization is for its owner and admins, and tells of no person", async () => {
    const [owner, member] = [await somebody(), await somebody()];
    const made = await owner.call("POST", "/v1/organizations", { name: "Sails" });
    const { id, accountId } = made.body;
    const invited = await owner.call("POST", `/v1/organizations/${id}/invites`, {
      email: `${member.username}@example.org`,
      role: "member",
    });
    await member.call("POST", "/v1/organization-invites/accept", { token: invited.body.token });
    const path = `/v1/export?accountId=${accountId}`;
    const { body } = await owner.call("GET", path);
    expect(body).toMatchObject({ account: { id: accountId }, person: null, organizations: [] });
    const refused = await member.call("GET", path);
    expect([refused.status, refused.body.error.code]).toEqual([403, "role_required"]);
  });

  it("leaves out no table without a reason", async () => {
    const { rows } = await running.engine.pool.query<{ name: string }>(
      `select case table_schema when 'public' then '' else table_schema || '.' end || table_name as name
       from information_schema.tables
       where table_type = 'BASE TABLE' and table_schema in ('public', 'identity')`,
    );
    expect(rows.map(({ name }) => name).toSorted()).toEqual(Object.keys(TABLES).toSorted());
    const sections = Object.values(TABLES).filter((where) => typeof where === "string");
    expect(Object.keys(v1.exportAccount.answer.shape)).toEqual(expect.arrayContaining(sections));
  });
});
