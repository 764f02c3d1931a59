/** What administrators do is on record: who, what, about whom and why, whatever dies in between. */
import type { Operation } from "@bursar/contract/operation";
import { type OperationName, v1 } from "@bursar/contract/v1";
import type { Intent } from "@bursar/engine/administration/action";
import { onRecord } from "@bursar/engine/administration/record";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KEPT_FIELDS } from "../src/administration/kept.ts";
import { isRecorded } from "../src/administration/rest.ts";
import { creditCheckRoutes } from "../src/compat/credit-check/routes.ts";
import { Death, mortal } from "./mortal.ts";
import { peopleOf, type Signed } from "./people-of.ts";
import { type Running, startRunning } from "./running.ts";

let running: Running;
let root: Signed;
beforeAll(async () => {
  running = await startRunning();
  root = await peopleOf(running)("root", "admin");
});
afterAll(() => running.close());

const admin = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  running.call(running.adminKey, method, path, body, headers);
const because = (reason: string) => ({ "x-bursar-reason": encodeURIComponent(reason) });
const actions = async (query: string) => (await admin("GET", `/v1/admin/actions?${query}`)).body.actions;
const latest = async () => (await actions("limit=1"))[0];
const nowhere = async (secret: string) => {
  const { rows } = await running.engine.pool.query(
    "select a::text || coalesce(o::text, '') as row from admin_actions a left join admin_action_outcomes o using (action_id)",
  );
  for (const { row } of rows) expect(row).not.toContain(secret);
};

describe("the table of what is kept", () => {
  const recorded = (Object.values(v1) as Operation[]).filter(isRecorded);

  it("has a row for every operation that changes something", () => {
    expect(Object.keys(KEPT_FIELDS).toSorted()).toEqual(recorded.map(({ name }) => name).toSorted());
  });

  it("names only fields that there are, and none that may hold a secret", () => {
    for (const { name, body } of recorded) {
      const shape = (body as { shape?: object; unwrap?: () => { shape: object } } | undefined)?.shape ?? {};
      const kept = KEPT_FIELDS[name as OperationName]!;
      expect([name, kept.filter((field) => !Object.hasOwn(shape, field))]).toEqual([name, []]);
      const secrets = ["totpCode", "token", "password", "returnUrl", "url", "book", "metadata"];
      if (name !== "createPromoCode") secrets.push("code");
      expect([name, kept.filter((field) => secrets.includes(field))]).toEqual([name, []]);
    }
  });

  it("has its like in every route of the credit-check API by which staff changes something", () => {
    const routes = creditCheckRoutes({} as Parameters<typeof creditCheckRoutes>[0]);
    const silent = routes.filter(({ method, access, recorded: named }) => {
      return Array.isArray(access) && method !== "get" && named === undefined;
    });
    expect(silent.map(({ path }) => path)).toEqual([]);
  });
});

describe("an action", () => {
  it("tells who, what, about whom and why, and how it ended", async () => {
    const account = await running.account("10");
    const frozen = await admin("POST", `/v1/accounts/${account.id}/freeze`, { reason: "asked by phone" });
    expect(await latest()).toMatchObject({
      by: expect.stringMatching(/^admin:key_/),
      operation: "freezeAccount",
      accountId: account.id,
      target: account.id,
      reason: "asked by phone",
      requestId: frozen.headers.get("x-request-id"),
      fields: {},
      outcome: "done",
      result: account.id,
    });
    const grant = { id: "recorded", accountId: account.id, amount: "5", notes: "goodwill" };
    await root.post("/v1/grants", grant);
    const { accountId: _, notes: __, ...fields } = grant;
    const told = { by: `user:${root.id}`, byName: "root@example.org", operation: "createGrant", fields };
    expect(await latest()).toMatchObject({
      ...told,
      reason: "goodwill",
      outcome: "done",
      result: "recorded",
    });
    await root.post("/v1/grants", grant);
    expect(await latest()).toMatchObject({ ...told, outcome: "repeated" });
  });

  it("that is refused is told with the refusal, and one that was never understood is none", async () => {
    const account = await running.account("1");
    const before = (await actions(`accountId=${account.id}`)).length;
    const adjust = (amount: string) =>
      admin("POST", "/v1/adjustments", { accountId: account.id, amount, reason: "too much" });
    expect((await adjust("-2")).status).toBe(402);
    expect(await latest()).toMatchObject({ accountId: account.id, outcome: "insufficient_credits" });
    expect((await adjust("much")).status).toBe(422);
    const own = await account.post("/v1/adjustments", { accountId: account.id, amount: "1", reason: "mine" });
    expect(own.status).toBe(403);
    expect(await actions(`accountId=${account.id}`)).toHaveLength(before + 1);
  });

  it("says why in a header where its body has no place for it, in any script", async () => {
    const account = await running.account("0");
    const { body } = await admin("POST", "/v1/keys", { accountId: account.id, name: "lost" });
    await admin("DELETE", `/v1/keys/${body.id}`, undefined, because("schlüssel 紛失, 100 %"));
    const revoked = { operation: "revokeKey", target: body.id, reason: "schlüssel 紛失, 100 %" };
    expect(await latest()).toMatchObject({ ...revoked, accountId: account.id });
    await nowhere(body.key);
    const grant = { id: "by-header", accountId: account.id, amount: "5" };
    await admin("POST", "/v1/grants", grant, because("as promised"));
    const [entry] = (await account.get("/v1/entries")).body.entries;
    expect(entry).toMatchObject({ by: expect.stringMatching(/^admin:key_/), note: "as promised" });
    expect((await account.get("/v1/receipts/by-header")).body.note).toBe("as promised");
  });

  it.each([
    ["a broken one", { "x-bursar-reason": "50% off" }],
    ["an empty one", { "x-bursar-reason": "%20" }],
    ["a long one", because("x".repeat(501))],
    ["one with NUL", because("a\u0000b")],
    ["another than the body's", because("another")],
  ])("with %s for a reason is refused by its name, and not done", async (_, headers) => {
    const account = await running.account("0");
    const grant = { accountId: account.id, amount: "5", notes: "one" };
    const { status, body } = await admin("POST", "/v1/grants", grant, headers);
    expect([status, body.error.param]).toEqual([422, "x-bursar-reason"]);
    expect((await account.get("/v1/balance")).body.available).toBe("0");
  });

  it("on somebody's behalf is one; on an account of one's own, or using credits, is none", async () => {
    const account = await running.account("10");
    const before = await actions("limit=200");
    await root.put("/v1/referrals/code", {});
    await admin("POST", "/v1/spend", { accountId: account.id, amount: "1" });
    await admin("POST", "/v1/holds", { accountId: account.id, amount: "1" });
    await admin("GET", `/v1/accounts/${account.id}`);
    expect(await actions("limit=200")).toEqual(before);
    await root.put("/v1/referrals/code", { accountId: account.id });
    const onBehalf = { operation: "makeReferralCode", accountId: account.id, by: `user:${root.id}` };
    expect(await latest()).toMatchObject(onBehalf);
  });

  it("keeps no code that was typed", async () => {
    const account = await running.account("0");
    const [card] = (await admin("POST", "/v1/gift-cards", { count: 1, amount: "5" })).body.cards;
    await admin("POST", "/v1/gift-cards/redeem", { accountId: account.id, code: card.code });
    expect(await latest()).toMatchObject({ operation: "redeemGiftCard", fields: {}, outcome: "done" });
    await nowhere(card.code);
  });

  it("is one for each grant of a batch, with its own ending", async () => {
    const [one, two] = [await running.account("5"), await running.account("0")];
    const operations = [
      { op: "spend", id: "b0", amount: "1" },
      { op: "grant", id: "b1", amount: "1", notes: "first" },
      { op: "grant", id: "b1", amount: "2" },
      { op: "grant", id: "b2", amount: "0", accountId: "a\u0000b" },
      { op: "grant", id: "b3", accountId: two.id, amount: "2" },
    ];
    await admin("POST", "/v1/batch", { accountId: one.id, operations }, because("in bulk"));
    const told = [...(await actions(`accountId=${one.id}`)), ...(await actions(`accountId=${two.id}`))];
    const shown = told.map(({ fields, reason, outcome }) => [fields.id, reason, outcome]);
    expect(new Set(shown)).toEqual(
      new Set([
        ["b1", "first", "done"],
        ["b1", "in bulk", "key_conflict"],
        ["b3", "in bulk", "done"],
      ]),
    );
  });

  it("about an account that it makes is found by that account", async () => {
    const { body } = await admin("POST", "/v1/accounts", { name: "Made on record" });
    expect(await actions(`accountId=${body.id}`)).toMatchObject([
      { operation: "createAccount", fields: { name: "Made on record" } },
    ]);
    const owned = await admin("POST", "/v1/organizations", { name: "Recorded", ownerId: root.id });
    expect(await actions(`accountId=${owned.body.accountId}`)).toMatchObject([
      { operation: "createOrganization", fields: { ownerId: root.id } },
    ]);
    await admin("PUT", `/v1/organizations/${owned.body.id}/caps`, { memberId: root.id, day: "5" });
    expect(await actions(`accountId=${owned.body.accountId}&limit=1`)).toMatchObject([
      { operation: "setMemberCaps", fields: { memberId: root.id, day: "5" }, outcome: "done" },
    ]);
  });
});

describe("the credit-check API", () => {
  it("is on record, too: allocations, new people and their roles, without passwords", async () => {
    const call = (method: string, path: string, body?: object, headers = {}) =>
      running.call(root.token, method, path, body, headers);
    const password = "never written down 1";
    const made = await call("POST", "/api/auth/admin/users", { username: "newcomer", password });
    const { id: target, accountId } = made.body.user;
    const by = { by: `user:${root.id}`, byName: "root@example.org", accountId, outcome: "done" };
    expect(await latest()).toMatchObject({
      ...by,
      operation: "createUser",
      fields: { username: "newcomer" },
    });
    const users = [{ username: "newest", password }];
    await call("POST", "/api/auth/admin/users/batch", { users });
    expect(await latest()).toMatchObject({ fields: { users: [{ username: "newest" }] } });
    await nowhere(password);
    const given = { userId: "newcomer", credits: 7, notes: "welcome" };
    await call("POST", "/api/credits/allocate", given);
    const allocated = { operation: "allocateCredits", target: "newcomer", reason: "welcome" };
    expect(await latest()).toMatchObject({ ...by, ...allocated, fields: { credits: 7 } });
    await call("PUT", `/api/auth/admin/users/${target}/role`, { role: "supervisor" }, because("promoted"));
    const role = { operation: "changeUserRole", target, reason: "promoted", fields: { role: "supervisor" } };
    expect(await latest()).toMatchObject({ ...by, ...role });
    await call("DELETE", "/api/credits/remove", { userId: "nobody-at-all" });
    expect(await latest()).toMatchObject({
      operation: "removeCredits",
      accountId: null,
      outcome: "status 404",
    });
    const odd = { username: "\ud800\u0000", email: "x".repeat(300), name: { not: "a text" }, role: "user" };
    expect((await call("POST", "/api/auth/admin/users", odd)).status).toBe(400);
    const kept = { operation: "createUser", fields: { username: "\ud800\u0000", role: "user" } };
    expect(await latest()).toMatchObject({ ...kept, outcome: "status 400" });
    const broken = await call("DELETE", "/api/credits/remove?userId=a%00b", {});
    expect([broken.status, (await latest()).target]).toEqual([expect.any(Number), "ab"]);
  });
});

describe("the record", () => {
  it("is never changed: not by the application, and not by whoever owns the database", async () => {
    await admin("POST", "/v1/encryption/rotate");
    const owner = new pg.Client({ connectionString: running.databaseUrl });
    await owner.connect();
    for (const table of ["admin_actions", "admin_action_outcomes"]) {
      for (const change of [
        `update ${table} set at = now()`,
        `delete from ${table}`,
        `truncate ${table} cascade`,
      ]) {
        await expect(running.engine.pool.query(change)).rejects.toThrow(/permission denied|append-only/);
        await expect(owner.query(change)).rejects.toThrow("append-only");
      }
    }
    await owner.end();
  });

  it("is read page by page, and by who, what and whom", async () => {
    const { body } = await admin("GET", "/v1/admin/actions?limit=3");
    const next = (await admin("GET", `/v1/admin/actions?limit=200&cursor=${body.nextCursor}`)).body;
    const all = await actions("limit=200");
    expect([...body.actions, ...next.actions]).toEqual(all);
    const roots = await actions(`by=user:${root.id}&limit=200`);
    expect(roots).toEqual(all.filter(({ by }: { by: string }) => by === `user:${root.id}`));
    const grants = await actions("operation=createGrant&limit=200");
    expect(new Set(grants.map(({ operation }: { operation: string }) => operation))).toEqual(
      new Set(["createGrant"]),
    );
    expect(await actions("accountId=acct_none")).toEqual([]);
    const wrong = await admin("GET", "/v1/admin/actions?cursor=x");
    expect([wrong.status, wrong.body.error.param]).toEqual([422, "cursor"]);
  });

  it("has an action for every effect, wherever its process dies, and never an ending without the effect", async () => {
    const who = { by: "admin:key_mortal", name: "mortal", keyId: null, requestId: "req_mortal" };
    let deaths = 0;
    for (const step of [1, 2, 3]) {
      for (const when of ["before", "after"] as const) {
        const { id } = await running.account("0");
        const given = { ...running.engine, payments: {} } as unknown as Parameters<typeof mortal>[0];
        const { deps } = mortal(given, { step, when });
        const intent: Intent = {
          operation: "freezeAccount",
          accountId: id,
          target: id,
          reason: "x",
          fields: {},
        };
        const freeze = { kind: "freeze", id: "once", accountId: id, note: "x", by: who.by } as const;
        const work = () => deps.ledger.submit(freeze);
        const ended = ({ kind }: { kind: string }) => [{ outcome: kind }];
        const silent = { ...deps, log: running.engine.log };
        const died = await onRecord(silent, who, [intent], work, ended).then(
          () => false,
          (error: unknown) => error instanceof Death,
        );
        if (died) deaths++;
        const isFrozen = (await admin("GET", `/v1/accounts/${id}`)).body.frozen;
        const told = await actions(`accountId=${id}`);
        expect([step, when, told.length]).toEqual([step, when, step === 1 && when === "before" ? 0 : 1]);
        if (isFrozen) expect(told).toHaveLength(1);
        if (told[0]?.outcome === "done") expect(isFrozen).toBe(true);
      }
    }
    // The third step is the ending itself: what was done is answered all the same.
    expect(deaths).toBe(4);
  });

  it("that cannot be written keeps the action from being done", async () => {
    const { id } = await running.account("0");
    const down = { query: () => Promise.reject(new Error("down")) } as unknown as pg.Pool;
    const who = { by: "test", name: null, keyId: null, requestId: "req_down" };
    const intent = { operation: "x", accountId: id, target: null, reason: null, fields: {} };
    let isDone = false;
    const work = () => {
      isDone = true;
      return Promise.resolve("done");
    };
    const asked = onRecord({ ...running.engine, pool: down }, who, [intent], work, () => []);
    await expect(asked).rejects.toThrow("down");
    expect(isDone).toBe(false);
  });
});
