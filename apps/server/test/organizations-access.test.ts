/** Who may do what in an organization. The table is walked against the contract: a new operation without a row fails. */
import type { Operation } from "@bursar/contract/operation";
import { v1 } from "@bursar/contract/v1";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ORGANIZATION_CALLS, type Row } from "./organization-calls.ts";
import { peopleOf, type Signed } from "./people-of.ts";
import { type Running, startRunning } from "./running.ts";

const ROWS: Readonly<Record<string, Row>> = ORGANIZATION_CALLS;

let running: Running;
let people: Record<"owner" | "admin" | "member" | "stranger" | "root", Signed>;

beforeAll(async () => {
  running = await startRunning();
  const sign = peopleOf(running);
  const [owner, admin, member] = [await sign("owner"), await sign("admin"), await sign("member")];
  people = { owner, admin, member, stranger: await sign("stranger"), root: await sign("root", "admin") };
  await people.owner.post("/v1/organizations", { id: "org_access", name: "Access" });
  for (const role of ["admin", "member"] as const) {
    const email = `${role}@example.org`;
    const { token } = (await people.owner.post("/v1/organizations/org_access/invites", { email, role })).body;
    await people[role].post("/v1/organization-invites/accept", { token });
  }
});
afterAll(() => running.close());

const operations = (Object.values(v1) as Operation[]).filter(({ access }) => access === "person");

it("has a row for every operation of people, and an operation for every row", () => {
  expect(Object.keys(ROWS).toSorted()).toEqual(operations.map(({ name }) => name).toSorted());
});

describe.each(operations.map((operation) => [operation.name, operation] as const))(
  "%s",
  (name, operation) => {
    const row = ROWS[name]!;
    const ask = async (key: string | null, headers = {}) => {
      const method = operation.method.toUpperCase();
      const { status, body } = await running.call(key, method, row.path, row.body, headers);
      const code = body.error?.code as string | undefined;
      return code === undefined ? String(status) : `${status} ${code}`;
    };

    it("is closed without a token, with a wrong one, and for an account's key", async () => {
      expect(await ask(null)).toBe("401 unauthenticated");
      expect(await ask("eyJhbGciOiJFZERTQSJ9.e30.AAAA")).toBe("401 unauthenticated");
      const account = await running.account("0");
      expect(await ask(account.key)).toBe("403 person_required");
      expect(await ask(account.key, { "x-bursar-organization": "org_access" })).toBe("403 person_required");
    });

    it.each(["owner", "admin", "member"] as const)("answers the %s as their role allows", async (who) => {
      expect(await ask(people[who].token)).toBe(row[who]);
    });

    it("tells strangers nothing, and lets administrators do what an owner may", async () => {
      const unknown = row.anybody ?? "404 organization_unknown";
      expect(await ask(people.stranger.token)).toBe(unknown);
      expect(await ask(running.adminKey)).toBe(row.adminKey ?? row.owner);
    });
  },
);

describe("on the organization's account", () => {
  const named = { "x-bursar-organization": "org_access" };
  const ask = async (who: keyof typeof people, method: string, path: string, body?: object) =>
    (await running.call(people[who].token, method, path, body, named)).body.error?.code ?? "done";

  it.each([
    ["GET", "/v1/balance", undefined, "done", "done"],
    ["POST", "/v1/check", { amount: "1" }, "done", "done"],
    ["GET", "/v1/entries", undefined, "done", "role_required"],
    // Members see their own.
    ["GET", "/v1/usage", undefined, "done", "done"],
    ["GET", "/v1/invoices", undefined, "done", "role_required"],
    ["GET", "/v1/notices", undefined, "done", "role_required"],
    ["POST", "/v1/gift-cards/redeem", { code: "none" }, "role_required", "role_required"],
    ["POST", "/v1/referrals", { code: "none" }, "role_required", "role_required"],
  ] as const)("%s %s is for the right roles", async (method, path, body, admin, member) => {
    expect(await ask("admin", method, path, body)).toBe(admin);
    expect(await ask("member", method, path, body)).toBe(member);
    expect(await ask("stranger", method, path, body)).toBe("organization_unknown");
    expect(["done", "code_unknown", "person_required"]).toContain(await ask("owner", method, path, body));
  });

  it("naming the account is naming the organization, and nobody else's account is ever reached", async () => {
    const balanceOf = async (who: keyof typeof people, accountId: string) =>
      (await people[who].get(`/v1/balance?accountId=${accountId}`)).body;
    expect(await balanceOf("member", "acct_org_access")).toMatchObject({ accountId: "acct_org_access" });
    expect((await balanceOf("stranger", "acct_org_access")).error.code).toBe("organization_unknown");
    expect((await balanceOf("member", people.owner.accountId)).error.code).toBe("admin_required");
    const both = `/v1/balance?accountId=${people.member.accountId}`;
    expect((await people.member.get(both, named)).body.error.param).toBe("accountId");
    expect(await balanceOf("root", "acct_org_access")).toMatchObject({ accountId: "acct_org_access" });
  });
});

it("an Idempotency-Key makes no organization of somebody else's account", async () => {
  const { owner, stranger } = people;
  const victim = owner.accountId.slice("acct_".length);
  const make = (key: string) =>
    stranger.post("/v1/organizations", { name: "Mine now" }, { "idempotency-key": key });
  for (const key of [victim, `org_${victim.toUpperCase()}`, "a-key"]) {
    const { status, body } = await make(key);
    expect([status, body.error?.code, body.error?.param]).toEqual([
      422,
      "invalid_request",
      "Idempotency-Key",
    ]);
  }
  const { status, body } = await stranger.get("/v1/balance", { "x-bursar-organization": victim });
  expect([status, body.error?.code]).toEqual([404, "organization_unknown"]);
  expect((await make("org_by_key")).status).toBe(201);
  expect((await make("org_by_key")).status).toBe(200);
  // An account that an administrator has made under such an id is not given away either.
  const accounts = { id: "acct_org_taken", name: "Mine now" };
  expect((await running.call(running.adminKey, "POST", "/v1/accounts", accounts)).status).toBe(201);
  expect((await make("org_taken")).body.error?.code).toBe("organization_exists");
});
