import type { AccountId, GrantId, HoldId } from "@bursar/contract/ids";
import { credits } from "@bursar/contract/money";
import type { NoticeKind } from "@bursar/contract/notices";
import { withTransaction } from "@bursar/database/transaction";
import { createAccount } from "@bursar/engine/account/create";
import { grant } from "@bursar/engine/grant/grant";
import { notify } from "@bursar/engine/notice/notify";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type SandboxWorld, startSandboxWorld } from "./sandbox-world.ts";

let world: SandboxWorld;

beforeAll(async () => {
  world = await startSandboxWorld();
});

afterAll(() => world.close());

let accounts = 0;

/** An account of its own, with calls by its key. */
async function account(alertBelow?: string) {
  const id = `acct_told_${++accounts}` as AccountId;
  await createAccount(world.engine, {
    id,
    name: id,
    ...(alertBelow === undefined ? {} : { alertBelow: credits(alertBelow) }),
  });
  const created = await world.engine.keys.create({ accountId: id, by: "test" });
  if (created.kind !== "created") throw new Error("no key");
  const call = (method: string, path: string, body?: unknown) => world.call(created.key, method, path, body);
  const tell = (noticeId: string, kind: NoticeKind = "system_message") =>
    notify(world.engine.pool, world.engine.clock, {
      id: noticeId,
      accountId: id,
      kind,
      title: `About ${noticeId}`,
      text: "Some text.",
      details: { noticeId },
    });
  const list = async (query = "") => (await call("GET", `/v1/notices${query}`)).body;
  return { id, key: created.key, call, tell, list };
}

const idsOf = (page: { notices: { id: string }[] }) => page.notices.map(({ id }) => id);

describe("a notice", () => {
  it("is told once per account and id, however many tell it at once", async () => {
    const [ada, bob] = [await account(), await account()];
    const told = await Promise.all(Array.from({ length: 20 }, () => ada.tell("once")));
    expect(told.filter(Boolean)).toHaveLength(1);
    expect(await bob.tell("once")).toBe(true);
    expect(idsOf(await ada.list())).toEqual(["once"]);
    expect(await ada.list()).toMatchObject({
      unread: 1,
      nextCursor: null,
      notices: [{ kind: "system_message", details: { noticeId: "once" }, readAt: null }],
    });
  });

  it("is told if the transaction commits, and not if it does not", async () => {
    const ada = await account();
    const { pool, clock } = world.engine;
    const told = { accountId: ada.id, kind: "refund", title: "T", text: "x" } as const;
    const undone = withTransaction(pool, async (client) => {
      await notify(client, clock, { ...told, id: "undone" });
      throw new Error("no");
    });
    await expect(undone).rejects.toThrow("no");
    await withTransaction(pool, (client) => notify(client, clock, { ...told, id: "done" }));
    expect(idsOf(await ada.list())).toEqual(["done"]);
  });

  it("that nobody could read is refused, and the field is named", () => {
    const { pool, clock } = world.engine;
    const told = { id: "n", accountId: world.accountId, kind: "refund", title: "T", text: "x" } as const;
    const refusals: [object, string][] = [
      [{ id: "two words" }, "id: "],
      [{ title: "two\nlines" }, "title: "],
      [{ text: "" }, "text: "],
      [{ details: { long: "x".repeat(5000) } }, "details: "],
    ];
    for (const [wrong, message] of refusals)
      expect(() => notify(pool, clock, { ...told, ...wrong })).toThrow(message);
  });
});

describe("the list", () => {
  it("comes in pages without gaps or repetitions, the newest first, also where many are told in one instant", async () => {
    const ada = await account();
    await world.clock.freeze(true);
    const names = ["a", "b", "c", "d", "e"];
    for (const name of names) await ada.tell(name);
    await world.clock.freeze(false);
    const seen: string[] = [];
    let cursor = "";
    do {
      const page = await ada.list(`?limit=2${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
      seen.push(...idsOf(page));
      cursor = page.nextCursor ?? "";
    } while (cursor !== "");
    expect(seen).toEqual(names.toReversed());
  });

  it("says what is unread; reading is remembered, and the first time stands", async () => {
    const ada = await account();
    for (const name of ["a", "b", "c"]) await ada.tell(name);
    const first = await ada.call("POST", "/v1/notices/b/read");
    expect(first.body).toMatchObject({ id: "b", readAt: expect.any(String) });
    const again = await ada.call("POST", "/v1/notices/b/read");
    expect(again.body.readAt).toBe(first.body.readAt);
    expect(idsOf(await ada.list("?state=unread")).toSorted()).toEqual(["a", "c"]);
    expect((await ada.call("POST", "/v1/notices/read-all")).body).toEqual({ read: 2, unread: 0 });
  });

  it("loses what is deleted for good: it is not told again, and its text is gone", async () => {
    const ada = await account();
    for (const name of ["a", "b", "c"]) await ada.tell(name);
    await ada.call("POST", "/v1/notices/a/read");
    expect((await ada.call("DELETE", "/v1/notices/b")).body).toEqual({ id: "b", deleted: true });
    expect((await ada.call("DELETE", "/v1/notices")).body).toEqual({ deleted: 1 });
    expect(await ada.tell("b")).toBe(false);
    expect(idsOf(await ada.list())).toEqual(["c"]);
    const { rows } = await world.engine.pool.query(
      "select distinct title, text, details from notices where account_id = $1 and deleted_at is not null",
      [ada.id],
    );
    expect(rows).toEqual([{ title: "", text: "", details: null }]);
  });

  it("is the account's own: others find nothing, and what is wrong is named", async () => {
    const [ada, bob] = [await account(), await account()];
    await ada.tell("hers");
    expect((await bob.list()).notices).toEqual([]);
    for (const [method, path] of [
      ["POST", "/v1/notices/hers/read"],
      ["DELETE", "/v1/notices/hers"],
    ] as const)
      expect((await bob.call(method, path)).body.error).toMatchObject({ code: "notice_unknown" });
    expect((await bob.call("GET", `/v1/notices?accountId=${ada.id}`)).status).toBe(403);
    const asAdmin = await world.call(world.adminKey, "GET", `/v1/notices?accountId=${ada.id}`);
    expect(idsOf(asAdmin.body)).toEqual(["hers"]);
    expect((await ada.call("GET", "/v1/notices?cursor=x")).body.error.param).toBe("cursor");
    expect((await ada.call("GET", "/v1/notices?state=old")).body.error.param).toBe("state");
    const nobody = await world.call(world.adminKey, "GET", "/v1/notices?accountId=acct_nobody");
    expect(nobody.body.error.code).toBe("account_unknown");
  });

  it("cannot be changed with a key that was revoked a moment ago", async () => {
    const ada = await account();
    await ada.tell("a");
    await ada.call("POST", "/v1/notices/a/read");
    await world.engine.pool.query("update api_keys set revoked_at = now() where account_id = $1", [ada.id]);
    expect((await ada.call("POST", "/v1/notices/read-all")).status).toBe(401);
  });
});

describe("credits that run low", () => {
  const give = (accountId: AccountId, id: string, amount: string) =>
    grant(world.engine, {
      accountId,
      id: id as GrantId,
      amount: credits(amount),
      source: "purchase",
      by: "test",
    });

  it("are told once per crossing, with the amounts", async () => {
    const ada = await account("20");
    await give(ada.id, "g1", "30");
    for (const id of ["s1", "s2"]) await ada.call("POST", "/v1/spend", { id, amount: "6" });
    await ada.call("POST", "/v1/spend", { id: "s3", amount: "1" });
    await world.background.settle();
    const page = await ada.list();
    expect(page.notices).toMatchObject([
      { kind: "credit_warning", details: { net: "18", alertBelow: "20" }, readAt: null },
    ]);
    expect(page.notices[0].text).toContain("18 credits");
    await give(ada.id, "g2", "30");
    await ada.call("POST", "/v1/spend", { id: "s4", amount: "40" });
    await world.background.settle();
    expect((await ada.list()).notices).toHaveLength(2);
  });

  it("are told with the debt when work cost more than was there", async () => {
    const ada = await account();
    await give(ada.id, "g1", "5");
    await ada.call("POST", "/v1/holds", { id: "hold_over" as HoldId, amount: "5" });
    await ada.call("POST", "/v1/holds/hold_over/settle", { amount: "8" });
    await world.background.settle();
    expect((await ada.list()).notices).toMatchObject([{ kind: "debt_incurred", details: { owed: "3" } }]);
  });

  it("reach the mailbox of the person whose account it is, once", async () => {
    const email = "low@sandbox.test";
    const made = await world.identity.people.create({ email, emailVerified: true });
    if (made.kind !== "created") throw new Error("not created");
    const { accountId } = made.person;
    await give(accountId, "g1", "25");
    const spend = { id: "s1", amount: "10", accountId };
    await world.call(world.adminKey, "POST", "/v1/spend", spend);
    await world.background.settle();
    await world.background.settle();
    const mails = world.mail.list(email);
    expect(mails.map(({ subject }) => subject)).toEqual(["Credits are running low"]);
    expect(mails[0]!.text).toContain("15 credits");
    expect(mails[0]!.text).toContain(accountId);
  });
});
