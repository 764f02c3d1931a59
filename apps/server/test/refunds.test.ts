import { addSeconds } from "@bursar/contract/instant";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PayingWorld, startPayingWorld } from "./paying-world.ts";

let world: PayingWorld;
beforeAll(async () => {
  world = await startPayingWorld();
});
afterAll(() => world.close());

type Account = Awaited<ReturnType<PayingWorld["account"]>>;

/** 1,000 credits for EUR 2.00, confirmed. */
async function bought(card = "pm_card_visa", amount = "0"): Promise<Account> {
  const account = await world.account(amount, card);
  await account.post("/v1/purchases", { id: `pay-${account.id}`, pack: "credits-1000", currency: "eur" });
  await world.settle();
  return account;
}

let refunds = 0;
const refund = (
  account: Account,
  body: { id?: string | undefined; amount?: number; reason?: string | undefined } = {},
) =>
  world.admin("POST", `/v1/payments/pay-${account.id}/refund`, {
    accountId: account.id,
    reason: "test",
    id: `refund-${++refunds}`,
    ...body,
  });

const payment = async (account: Account) => (await account.get(`/v1/payments/pay-${account.id}`)).body;

async function intentOf(account: Account): Promise<string> {
  const { rows } = await world.engine.pool.query<{ id: string }>(
    "select intent_id as id from payments where account_id = $1",
    [account.id],
  );
  return rows[0]!.id;
}

/** A half of it, past Bursar. */
async function refundAtProvider(account: Account): Promise<void> {
  const payment_intent = await intentOf(account);
  await world.sdk.refunds.create({ payment_intent, amount: 100 });
  await world.settle();
}

async function disputeOf(account: Account): Promise<string> {
  const { rows } = await world.engine.pool.query<{ id: string }>(
    "select dispute_id as id from payment_disputes where account_id = $1 order by opened_at, dispute_id",
    [account.id],
  );
  return rows[0]!.id;
}

async function closeDispute(account: Account, outcome: "won" | "lost"): Promise<void> {
  world.stripe.closeDispute(await disputeOf(account), outcome);
}

/** The hold that freezes something of the account. */
async function heldNow(account: Account): Promise<string> {
  const { rows } = await world.engine.pool.query<{ id: string }>(
    "select hold_id as id from holds where account_id = $1",
    [account.id],
  );
  return rows[0]!.id;
}

describe("a refund", () => {
  it("takes all credits of an unused purchase, and nothing else", async () => {
    const account = await bought("pm_card_visa", "50");
    expect((await refund(account)).body).toMatchObject({ refunded: 200 });
    await world.settle();
    expect(await account.balance()).toEqual(["50", "0", "0"]);
    expect(await account.notices()).toContain("refund");
    expect((await refund(account)).status).toBe(200);
    expect(await account.balance()).toEqual(["50", "0", "0"]);
  });

  it("of a part takes its share; parts add up, and all of them take every credit", async () => {
    const account = await bought();
    await refund(account, { id: "one", amount: 33 });
    expect(await account.available()).toBe("835");
    await refund(account, { id: "one", amount: 33 });
    expect(await account.available()).toBe("835");
    await refund(account, { id: "two", amount: 33 });
    expect(await account.available()).toBe("670");
    await refund(account, { id: "three" });
    await world.settle();
    expect(await account.balance()).toEqual(["0", "0", "0"]);
    expect((await payment(account)).refunded).toBe(200);
  });

  it("says in the ledger who paid back and why", async () => {
    const account = await bought();
    await refund(account, { id: "named", reason: "as agreed by phone" });
    await world.settle();
    const [entry] = (await account.get("/v1/entries?limit=1")).body.entries;
    const why = { by: expect.stringMatching(/^admin:key_/), note: "as agreed by phone" };
    expect(entry).toMatchObject({ kind: "revoke", ...why });
    expect((await account.get(`/v1/receipts/${entry.reference}`)).status).toBe(200);
    const { actions } = (await world.admin("GET", `/v1/admin/actions?accountId=${account.id}`)).body;
    expect(actions).toMatchObject([
      {
        operation: "refundPayment",
        target: `pay-${account.id}`,
        reason: "as agreed by phone",
        outcome: "done",
      },
    ]);
    const outside = await bought();
    await refundAtProvider(outside);
    const [theirs] = (await outside.get("/v1/entries?limit=1")).body.entries;
    expect(theirs).toMatchObject({
      kind: "revoke",
      by: "system:payments",
      note: "The payment was paid back",
    });
  });

  it("under one id is one refund: anything else under it is a conflict, and more than is left is refused", async () => {
    const account = await bought();
    expect((await refund(account, { id: "one", amount: 150 })).status).toBe(200);
    const other = await refund(account, { id: "one", amount: 50 });
    expect([other.status, other.body.error.code]).toEqual([409, "key_conflict"]);
    const more = await refund(account, { id: "two", amount: 51 });
    expect([more.status, more.body.error.message]).toEqual([
      409,
      "amount: must be at most 50, what is left of what was paid",
    ]);
    expect(await account.available()).toBe("250");
  });

  it("whose answer is lost goes on by itself, and the same id again is the same refund", async () => {
    const account = await bought();
    world.stripe.faults.add({ kind: "server_error", on: "POST /v1/refunds" });
    expect((await refund(account, { id: "lost", amount: 50 })).status).toBe(503);
    await world.advance(60);
    expect(await account.available()).toBe("750");
    expect((await refund(account, { id: "lost", amount: 50 })).body.refunded).toBe(50);
    expect(await account.available()).toBe("750");
  });

  it("is seen however long the provider lists no refunds: that parks no event", async () => {
    const account = await bought();
    world.stripe.faults.add({ kind: "rate_limit", on: "GET /v1/refunds", times: 500 });
    await world.sdk.refunds.create({ payment_intent: await intentOf(account), amount: 100 });
    await world.pass(15, 1);
    expect((await refund(account, { amount: 10 })).status).toBe(503);
    world.stripe.faults.clear();
    await world.advance(60);
    expect(await account.available()).toBe("450");
    expect((await world.admin("GET", "/v1/events?state=parked")).body.events).toEqual([]);
  });

  it.each([
    [40, [33]],
    // Nothing is sent after an hour: what is refused then was never made.
    [50, []],
  ])(
    "at which the provider fails for %s minutes, and then after making it, is told as it is",
    async (minutes, made) => {
      const account = await bought();
      const fault = { kind: "server_error", on: "POST /v1/refunds", times: 50 } as const;
      world.stripe.faults.add({ ...fault, when: "before" });
      expect((await refund(account, { id: "late", amount: 33 })).status).toBe(503);
      await world.pass(minutes, 5);
      world.stripe.faults.clear();
      world.stripe.faults.add({ kind: "lose_webhook", events: "*", times: 50 });
      world.stripe.faults.add(fault);
      await world.pass(80 - minutes, 5);
      world.stripe.faults.clear();
      const { data } = await world.sdk.refunds.list({ payment_intent: await intentOf(account) });
      expect(data.map(({ amount }) => amount)).toEqual(made);
      const again = await refund(account, { id: "late", amount: 33 });
      expect([again.status, again.body.refunded]).toEqual(made.length === 0 ? [409, undefined] : [200, 33]);
      expect(await account.balance()).toEqual([made.length === 0 ? "1000" : "835", "0", "0"]);
    },
  );

  it("that is given up after an hour and found later is done", async () => {
    const account = await bought();
    world.stripe.faults.add({ kind: "server_error", when: "before", on: "POST /v1/refunds", times: 50 });
    const ask = () => refund(account, { id: "found", amount: 50 });
    expect((await ask()).status).toBe(503);
    await world.pass(80, 10);
    expect((await ask()).body.error.code).toBe("refund_refused");
    world.stripe.faults.clear();
    const metadata = { bursar_refund: "found", bursar_by: "test", bursar_reason: "test" };
    await world.sdk.refunds.create({ payment_intent: await intentOf(account), amount: 50, metadata });
    await world.settle();
    expect((await ask()).body.refunded).toBe(50);
    expect(await account.balance()).toEqual(["750", "0", "0"]);
  });

  it("of spent credits becomes debt", async () => {
    const account = await bought();
    await account.post("/v1/spend", { id: "work", amount: "700" });
    await refund(account);
    expect(await account.balance()).toEqual(["0", "0", "700"]);
  });

  it("made at the provider itself is seen by its webhook", async () => {
    const account = await bought();
    await refundAtProvider(account);
    expect(await account.available()).toBe("500");
  });

  it.each([
    [{ amount: 0 }, 422, "amount"],
    [{ amount: 201 }, 409, "amount"],
    [{ reason: undefined }, 422, "reason"],
    [{ amount: 50, id: undefined }, 422, "id"],
  ])("of %j is refused: %i", async (body, status, param) => {
    const account = await bought();
    const answer = await refund(account, body);
    expect([answer.status, answer.body.error.param]).toEqual([status, param]);
    expect(await account.available()).toBe("1000");
  });
});

describe("giving unused credits back", () => {
  const giveBack = (account: Account, key = world.adminKey) =>
    world.call(key, "POST", `/v1/payments/pay-${account.id}/refund-unused`, { accountId: account.id });

  it("within 14 days pays in proportion to what is unused, and leaves no debt", async () => {
    const account = await bought("pm_card_visa", "50");
    await account.post("/v1/spend", { id: "work", amount: "350" });
    const answer = await giveBack(account);
    // 300 of the purchase are spent: 700 of 1,000 credits for EUR 2.00.
    expect([answer.status, answer.body.refunded]).toEqual([200, 140]);
    expect(answer.body.refunds).toMatchObject([
      {
        amount: 140,
        credits: "700",
        by: expect.stringMatching(/admin/),
        reason: "Unused credits given back",
      },
    ]);
    await world.settle();
    expect(await account.balance()).toEqual(["0", "0", "0"]);
    expect((await giveBack(account)).status).toBe(409);
    await world.verify();
  });

  it("is for the owner who is signed in: an API key may not", async () => {
    const account = await bought();
    const answer = await giveBack(account, account.key);
    expect([answer.status, answer.body.error.code]).toEqual([403, "person_required"]);
  });

  it("counts the 14 days from when it was paid, not from when its page was opened", async () => {
    const account = await world.account("0", null);
    const order = { id: `pay-${account.id}`, pack: "credits-1000", currency: "eur" };
    const { url } = (await account.post("/v1/purchases", order)).body;
    await world.advance(20 * 3600);
    world.stripe.payCheckout(/cs_test_\w+/.exec(url)![0], { method: "pm_card_visa" });
    await world.settle();
    await world.advance(14 * 86_400 - 3600);
    expect((await giveBack(account)).body.refunded).toBe(200);
  });

  it("is over after 14 days", async () => {
    const account = await bought();
    await world.advance(15 * 86_400);
    const answer = await giveBack(account);
    expect([answer.status, answer.body.error.code]).toEqual([409, "refund_refused"]);
    expect(await account.available()).toBe("1000");
  });

  it("holds the credits while the provider is silent, and goes on by itself, once", async () => {
    const account = await bought();
    world.stripe.faults.add({ kind: "server_error", when: "before", on: "POST /v1/refunds", times: 2 });
    expect((await giveBack(account)).status).toBe(503);
    expect(await account.balance()).toEqual(["0", "1000", "0"]);
    // Asked for again under another id, it is the same.
    expect((await giveBack(account)).status).toBe(503);
    await world.advance(60);
    expect(await account.balance()).toEqual(["0", "0", "0"]);
    expect((await payment(account)).refunds).toMatchObject([{ amount: 200, credits: "1000" }]);
    await world.verify();
  });

  it("frees them where the provider refuses", async () => {
    const account = await bought();
    world.stripe.faults.add({ kind: "lose_webhook", events: "*", times: 10 });
    await world.sdk.refunds.create({ payment_intent: await intentOf(account) });
    const answer = await giveBack(account);
    expect([answer.status, answer.body.error.code]).toEqual([409, "refund_refused"]);
    // Refused, because all of it was paid back already: known before they could be spent.
    expect(await account.balance()).toEqual(["0", "0", "0"]);
    world.stripe.faults.clear();
    await world.advance(1200);
    expect(await account.balance()).toEqual(["0", "0", "0"]);
    await world.verify();
  });

  it("frees them where the bank has sent the money back before anybody saw it go", async () => {
    const account = await bought("pm_card_refundFail");
    world.stripe.faults.add({ kind: "server_error", on: "POST /v1/refunds" });
    world.stripe.faults.add({ kind: "lose_webhook", events: "*", times: 50 });
    expect((await giveBack(account)).status).toBe(503);
    expect(await account.balance()).toEqual(["0", "1000", "0"]);
    // Nobody looks for as long as a bank takes.
    world.clock.time = addSeconds(world.clock.time, 400);
    await world.stripe.tick();
    await world.settle();
    world.stripe.faults.clear();
    expect(await account.balance()).toEqual(["1000", "0", "0"]);
    world.stripe.changeCard(account.methodId, { behavesAs: "pm_card_visa" });
    expect((await giveBack(account)).body.refunded).toBe(200);
    expect(await account.balance()).toEqual(["0", "0", "0"]);
    await world.verify();
  });

  it("under a second id while it is under way is the same, also once it is over", async () => {
    const account = await bought();
    world.stripe.faults.add({ kind: "server_error", when: "before", on: "POST /v1/refunds", times: 2 });
    const ask = (id: string) =>
      world.admin("POST", `/v1/payments/pay-${account.id}/refund-unused`, { accountId: account.id, id });
    expect([(await ask("one")).status, (await ask("two")).status]).toEqual([503, 503]);
    await world.advance(60);
    for (const id of ["two", "one"])
      expect(await ask(id)).toMatchObject({ status: 200, body: { refunded: 200 } });
    const other = await refund(account, { id: "two", amount: 10 });
    expect([other.status, other.body.error.code]).toEqual([409, "key_conflict"]);
  });

  it("takes what came again after a refund that failed, and what is left of the rest", async () => {
    const account = await bought("pm_card_refundFail", "50");
    await refund(account, { amount: 100 });
    await world.advance(7 * 86_400);
    await account.post("/v1/spend", { id: "work", amount: "150" });
    expect(await account.balance()).toEqual(["900", "0", "0"]);
    world.stripe.changeCard(account.methodId, { behavesAs: "pm_card_visa" });
    expect((await giveBack(account)).body.refunded).toBe(180);
    expect(await account.balance()).toEqual(["0", "0", "0"]);
    await world.verify();
  });

  it("frees them where the provider cannot do it within an hour, and may be asked for anew", async () => {
    const account = await bought();
    world.stripe.faults.add({ kind: "server_error", when: "before", on: "POST /v1/refunds", times: 50 });
    expect((await giveBack(account)).status).toBe(503);
    await world.pass(80, 10);
    world.stripe.faults.clear();
    expect(await account.balance()).toEqual(["1000", "0", "0"]);
    expect((await giveBack(account)).body.refunded).toBe(200);
  });

  it("takes from that purchase alone, however many there are", async () => {
    const account = await bought();
    await account.post("/v1/purchases", { id: "second", pack: "credits-1000", currency: "eur" });
    await world.settle();
    expect((await giveBack(account)).body.refunded).toBe(200);
    expect(await account.balance()).toEqual(["1000", "0", "0"]);
    const second = { accountId: account.id };
    const answer = await world.admin("POST", "/v1/payments/second/refund-unused", second);
    expect([answer.status, answer.body.refunded]).toEqual([200, 200]);
    expect(await account.balance()).toEqual(["0", "0", "0"]);
  });
});

describe("a refund that the bank sends back", () => {
  it("gives its credits again, once; and the next refund takes them, once", async () => {
    const account = await bought("pm_card_refundFail");
    await refund(account, { id: "one" });
    await world.advance(7 * 86_400);
    expect(await account.available()).toBe("1000");
    expect((await payment(account)).refunded).toBe(0);
    world.stripe.changeCard(account.methodId, { behavesAs: "pm_card_visa" });
    const again = await refund(account, { id: "two" });
    expect(again.status).toBe(200);
    await world.advance(7 * 86_400);
    expect((await account.balance())[2]).toBe("0");
    await world.verify();
  });
});

describe("auto top-up", () => {
  it("is switched off by a refund after which it would buy again at once, and says so", async () => {
    const account = await bought();
    await account.policy({ cooldownSeconds: 0 });
    await refund(account);
    await world.advance(60);
    expect((await account.get("/v1/topup-policy")).body).toMatchObject({
      enabled: false,
      disabledReason: "refunded",
    });
    expect(await account.balance()).toEqual(["0", "0", "0"]);
    expect(await account.attempts()).toEqual([]);
  });

  it("does not buy again what its owner is giving back, however long that takes", async () => {
    const account = await bought();
    await account.policy({ cooldownSeconds: 0 });
    world.stripe.faults.add({ kind: "server_error", when: "before", on: "POST /v1/refunds", times: 4 });
    const giveBack = () =>
      world.admin("POST", `/v1/payments/pay-${account.id}/refund-unused`, {
        accountId: account.id,
        id: "back",
      });
    expect((await giveBack()).status).toBe(503);
    await world.advance(1);
    expect((await account.get("/v1/topup-policy")).body).toMatchObject({ enabled: true, suspended: true });
    const dry = await account.post("/v1/spend", { id: "dry", amount: "10" });
    expect(dry.body.error.topUp).toBe("suspended");
    await world.pass(5, 1);
    expect((await giveBack()).body.refunded).toBe(200);
    expect((await account.get("/v1/topup-policy")).body.disabledReason).toBe("refunded");
    expect(await account.attempts()).toEqual([]);
    expect(await account.balance()).toEqual(["0", "0", "0"]);
  });

  it("goes on where the provider refuses what its owner wanted to give back", async () => {
    const account = await bought();
    await account.policy({ cooldownSeconds: 0 });
    world.stripe.faults.add({ kind: "server_error", when: "before", on: "POST /v1/refunds", times: 50 });
    const path = `/v1/payments/pay-${account.id}/refund-unused`;
    expect((await world.admin("POST", path, { accountId: account.id })).status).toBe(503);
    await world.pass(80, 10);
    world.stripe.faults.clear();
    expect((await account.get("/v1/topup-policy")).body).toMatchObject({ enabled: true, suspended: false });
    await account.post("/v1/spend", { id: "work", amount: "600" });
    await world.advance(20);
    expect(await account.available()).toBe("2000");
  });

  it("stays on after its owner gave credits back and enough are left", async () => {
    const account = await bought("pm_card_visa", "1200");
    await account.policy();
    const path = `/v1/payments/pay-${account.id}/refund-unused`;
    expect((await world.admin("POST", path, { accountId: account.id })).body.refunded).toBe(200);
    await world.settle();
    expect(await account.available()).toBe("1200");
    expect((await account.get("/v1/topup-policy")).body.enabled).toBe(true);
  });

  it("stays on after a refund that leaves enough", async () => {
    const account = await bought("pm_card_visa", "5000");
    await account.policy();
    await refund(account);
    expect((await account.get("/v1/topup-policy")).body.enabled).toBe(true);
  });

  it("buys nothing for an account that is frozen", async () => {
    const account = await world.account("100");
    await account.policy();
    await world.admin("POST", `/v1/accounts/${account.id}/freeze`, { reason: "test" });
    await world.advance(60);
    expect(await account.attempts()).toEqual([]);
    await world.admin("POST", `/v1/accounts/${account.id}/unfreeze`, { reason: "test" });
    await world.advance(60);
    expect(await account.available()).toBe("2000");
  });
});

describe("documents", () => {
  const pdf = async (account: Account, path: string, key = account.key) => {
    const headers = { authorization: `Bearer ${key}` };
    const response = await fetch(`${world.url}/v1/payments/pay-${account.id}/${path}`, { headers });
    return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()) };
  };

  it("are a receipt for what was paid and a credit note for what was paid back, the same bytes each time", async () => {
    const account = await bought();
    const receipt = await pdf(account, "receipt.pdf");
    expect([receipt.status, receipt.bytes.subarray(0, 5).toString()]).toEqual([200, "%PDF-"]);
    expect((await pdf(account, "receipt.pdf")).bytes.equals(receipt.bytes)).toBe(true);
    expect((await pdf(account, "credit-note.pdf")).status).toBe(404);
    await refund(account, { amount: 50 });
    const note = await pdf(account, "credit-note.pdf");
    expect([note.status, note.bytes.subarray(0, 5).toString()]).toEqual([200, "%PDF-"]);
  });

  it("are the account's own", async () => {
    const [account, other] = [await bought(), await world.account("0")];
    expect((await pdf(account, "receipt.pdf", other.key)).status).toBe(404);
    expect((await pdf(account, "receipt.pdf", "bsk_wrong")).status).toBe(401);
  });
});

describe("a dispute", () => {
  it("freezes what is left of that purchase alone, and auto top-up; won, all is as it was", async () => {
    const account = await bought("pm_card_createDispute", "50");
    expect(await account.balance()).toEqual(["50", "1000", "0"]);
    expect((await payment(account)).disputed).toBe(true);
    await account.policy({ threshold: "600", target: "2000" });
    await world.advance(20);
    expect((await account.get("/v1/topup-policy")).body).toMatchObject({ enabled: true, suspended: true });
    expect(await account.attempts()).toEqual([]);
    await closeDispute(account, "won");
    await world.settle();
    expect((await payment(account)).disputed).toBe(false);
    expect((await account.get("/v1/topup-policy")).body.suspended).toBe(false);
    expect(await account.balance()).toEqual(["1050", "0", "0"]);
    expect(await account.notices()).toEqual(expect.arrayContaining(["dispute_opened", "dispute_closed"]));
    await world.verify();
  });

  it("lost takes the purchase back; what was spent of it becomes debt", async () => {
    const account = await world.account("0");
    await account.post("/v1/purchases", { id: `pay-${account.id}`, pack: "credits-1000", currency: "eur" });
    await account.post("/v1/spend", { id: "work", amount: "300" });
    await world.settle();
    world.stripe.openDispute(await intentOf(account));
    await world.settle();
    expect(await account.balance()).toEqual(["0", "700", "0"]);
    await closeDispute(account, "lost");
    await world.settle();
    expect(await account.balance()).toEqual(["0", "0", "300"]);
    await world.settle();
    expect(await account.balance()).toEqual(["0", "0", "300"]);
    await world.verify();
  });

  it("is out of reach for the account: what it freezes is neither released, settled, extended nor drawn from", async () => {
    const account = await bought("pm_card_createDispute");
    const id = await heldNow(account);
    expect((await account.post(`/v1/holds/${id}/release`)).body.error).toMatchObject({
      code: "hold_unknown",
    });
    expect((await account.post(`/v1/holds/${id}/settle`, { amount: "0" })).status).toBe(404);
    expect((await account.post(`/v1/holds/${id}/extend`, { ttlSeconds: 1 })).status).toBe(404);
    expect((await account.post("/v1/holds", { id: "child", amount: "1", parentId: id })).status).toBe(404);
    const operations = [
      { op: "release", id },
      { op: "settle", id, amount: "0" },
      { op: "hold", id: "child", amount: "1", parentId: id },
    ];
    for (const result of (await account.post("/v1/batch", { operations })).body.results)
      expect(result).toMatchObject({ ok: false, error: { code: "hold_unknown" } });
    expect(await account.balance()).toEqual(["0", "1000", "0"]);
    await closeDispute(account, "lost");
    await world.settle();
    expect(await account.balance()).toEqual(["0", "0", "0"]);
    await world.verify();
  });

  it("lost takes the purchase back, and no account can use up the id that it goes by", async () => {
    const account = await bought("pm_card_createDispute", "50");
    const disputeId = (await heldNow(account)).split(/hold_dispute_|:/)[1]!;
    for (const id of [`dispute:${disputeId}`, `reverse:pay-${account.id}`])
      for (const path of ["/v1/spend", "/v1/holds"])
        expect((await account.post(path, { id, amount: "0.000001" })).body.error).toMatchObject({
          param: "id",
        });
    const operations = [{ op: "spend", id: `dispute:${disputeId}`, amount: "1" }];
    const [result] = (await account.post("/v1/batch", { operations })).body.results;
    expect(result.error).toMatchObject({ code: "invalid_request", param: "operations.0.id" });
    await closeDispute(account, "lost");
    await world.settle();
    expect(await account.balance()).toEqual(["50", "0", "0"]);
    await world.verify();
  });

  it("freezes what work gives back while it is open, too", async () => {
    const account = await bought();
    for (const id of ["one", "two"]) await account.post("/v1/holds", { id, amount: "300" });
    world.stripe.openDispute(await intentOf(account));
    await world.settle();
    await account.post("/v1/holds/one/release");
    await account.post("/v1/holds/two/settle", { amount: "100" });
    await world.settle();
    expect(await account.balance()).toEqual(["0", "900", "0"]);
    expect((await account.post("/v1/spend", { id: "more", amount: "1" })).status).toBe(402);
    await closeDispute(account, "won");
    await world.settle();
    expect(await account.balance()).toEqual(["900", "0", "0"]);
    await world.verify();
  });

  it("freezes what came again after a refund that failed", async () => {
    const account = await bought("pm_card_refundFail");
    await refund(account);
    await world.advance(7 * 86_400);
    expect(await account.balance()).toEqual(["1000", "0", "0"]);
    const { latest_charge } = await world.sdk.paymentIntents.retrieve(await intentOf(account));
    world.stripe.openDispute(latest_charge as string);
    await world.settle();
    expect(await account.balance()).toEqual(["0", "1000", "0"]);
    await closeDispute(account, "lost");
    await world.settle();
    expect(await account.balance()).toEqual(["0", "0", "0"]);
    await world.verify();
  });

  it("of a part freezes that part, whatever work gives back", async () => {
    const account = await bought();
    await refund(account, { id: "part", amount: 100 });
    await account.post("/v1/holds", { id: "work", amount: "100" });
    world.stripe.openDispute(await intentOf(account));
    await world.settle();
    expect(await account.balance()).toEqual(["0", "500", "0"]);
    await account.post("/v1/holds/work/release");
    await world.settle();
    await closeDispute(account, "lost");
    await world.settle();
    expect(await account.balance()).toEqual(["0", "0", "0"]);
    await world.verify();
  });

  it("lost switches auto top-up off: the card that charged back is not charged again", async () => {
    const account = await bought();
    await account.policy({ cooldownSeconds: 0, threshold: "100", target: "2000" });
    world.stripe.openDispute(await intentOf(account));
    await world.settle();
    await closeDispute(account, "lost");
    await world.advance(60);
    expect((await account.get("/v1/topup-policy")).body).toMatchObject({
      enabled: false,
      suspended: false,
      disabledReason: "dispute_lost",
    });
    expect(await account.attempts()).toEqual([]);
  });

  it("lost after a part was paid back takes the rest alone", async () => {
    const account = await bought();
    await refund(account, { amount: 50 });
    world.stripe.openDispute(await intentOf(account));
    await world.settle();
    await closeDispute(account, "lost");
    await world.settle();
    expect(await account.balance()).toEqual(["0", "0", "0"]);
    await world.verify();
  });

  it("that is lost after it was won is lost: top-ups end, and its owner is told", async () => {
    const account = await bought();
    await account.policy({ cooldownSeconds: 0, threshold: "100", target: "2000" });
    world.stripe.openDispute(await intentOf(account));
    await world.settle();
    await closeDispute(account, "won");
    await world.settle();
    expect(await account.available()).toBe("1000");
    world.stripe.appealDispute(await disputeOf(account));
    await closeDispute(account, "lost");
    await world.advance(60);
    expect(await account.balance()).toEqual(["0", "0", "0"]);
    expect((await account.get("/v1/topup-policy")).body.disabledReason).toBe("dispute_lost");
    expect((await account.notices()).filter((kind) => kind === "dispute_closed")).toHaveLength(2);
    await world.verify();
  });
});
