import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PayingWorld, startPayingWorld } from "./paying-world.ts";

let world: PayingWorld;
beforeAll(async () => {
  world = await startPayingWorld();
});
afterAll(() => world.close());

type Account = Awaited<ReturnType<PayingWorld["account"]>>;

const buy = (account: Account, body: object) => account.post("/v1/purchases", { currency: "eur", ...body });

/** The person pays on Stripe's page, with this card. */
function payOnPage(url: string, card = "pm_card_visa"): void {
  const sessionId = /cs_test_\w+/.exec(url)![0];
  world.stripe.payCheckout(sessionId, { method: card });
}

describe("what is sold", () => {
  it("shows prices in three currencies, and the price of any amount between", async () => {
    const account = await world.account("0", null);
    const { body } = await account.get("/v1/packs?credits=2500");
    expect(body.tiers.map(({ prices }: { prices: object }) => prices)[1]).toEqual({
      eur: 1000,
      usd: 1500,
      jpy: 2000,
    });
    expect(body).toMatchObject({ minimum: "500", maximum: "1000000", expiresAt: null });
    expect(body.quote).toEqual({ credits: "2500", prices: { eur: 500, usd: 750, jpy: 1000 } });
  });

  it.each([
    [{ pack: "credits-9" }, 422, "pack"],
    [{ credits: "499" }, 422, "credits"],
    [{ credits: "1000001" }, 422, "credits"],
    [{ pack: "mini", currency: "jpy" }, 422, "currency"],
    [{ pack: "mini", currency: "gbp" }, 422, "currency"],
    [{ pack: "mini", credits: "500" }, 422, "pack"],
    [{}, 422, "pack"],
    [{ pack: "mini", paymentMethod: "pm_somebody_elses" }, 404, "paymentMethod"],
    [{ pack: "mini", returnUrl: "javascript:alert(1)" }, 422, "returnUrl"],
    [{ pack: "mini", id: "x".repeat(101) }, 422, "id"],
  ])("refuses %j: %i, naming %s", async (body, status, param) => {
    const account = await world.account("0");
    const answer = await buy(account, body);
    expect([answer.status, answer.body.error.param]).toEqual([status, param]);
    expect((await account.get("/v1/payments")).body.payments).toEqual([]);
  });
});

describe("a purchase", () => {
  it("with a saved method is there at once, and confirmed by the webhook; the same id buys once", async () => {
    const account = await world.account("0");
    const bought = await buy(account, { id: "order-1", pack: "credits-1000" });
    expect([bought.status, bought.body]).toEqual([
      201,
      expect.objectContaining({
        state: expect.stringMatching(/granted|confirmed/),
        credits: "1000",
        amount: 200,
        expiresAt: null,
        url: null,
      }),
    ]);
    expect(await account.available()).toBe("1000");
    await world.settle();
    const again = await buy(account, { id: "order-1", pack: "credits-1000" });
    expect([again.status, again.body.state]).toEqual([200, "confirmed"]);
    const other = await buy(account, { id: "order-1", pack: "mini" });
    expect([other.status, other.body.error.code]).toEqual([409, "key_conflict"]);
    expect(await account.available()).toBe("1000");
    expect(await account.notices()).toEqual(["purchase_success"]);
  });

  it("of one account shares nothing with another's of the same id", async () => {
    const [one, other] = [await world.account("0"), await world.account("0")];
    expect((await buy(one, { id: "first", pack: "credits-1000" })).status).toBe(201);
    expect((await buy(other, { id: "first", credits: "600" })).status).toBe(201);
    expect([await one.available(), await other.available()]).toEqual(["1000", "600"]);
  });

  it("in yen has no minor unit", async () => {
    const account = await world.account("0");
    const bought = await buy(account, { credits: "1500", currency: "jpy" });
    expect(bought.body).toMatchObject({ amount: 600, currency: "jpy", credits: "1500" });
  });

  it("that is declined says why, and charges nothing", async () => {
    const account = await world.account("0", "pm_card_chargeCustomerFail");
    const answer = await buy(account, { pack: "credits-1000" });
    expect([answer.status, answer.body.error.code, answer.body.error.reason]).toEqual([
      402,
      "payment_failed",
      "generic_decline",
    ]);
    expect(await account.available()).toBe("0");
  });

  it("without a saved method leads to a page; once paid there, the credits come, and the card is saved", async () => {
    const account = await world.account("0", null);
    const opened = await buy(account, { pack: "credits-10000" });
    expect(opened.body).toMatchObject({ state: "wanted", url: expect.stringContaining(world.stripe.url) });
    const page = await world.call(null, "GET", new URL(opened.body.url).pathname);
    expect(page.status).toBe(404);
    payOnPage(opened.body.url);
    await world.settle();
    expect(await account.available()).toBe("10000");
    expect((await account.get(`/v1/payments/${opened.body.id}`)).body).toMatchObject({
      state: "confirmed",
      url: null,
    });
    const { body } = await account.get("/v1/payment-methods");
    expect(body.paymentMethods).toMatchObject([{ brand: "visa", isDefault: true, usable: true }]);
  });

  it("that is paid on its page while Bursar hears nothing is found by looking", async () => {
    const account = await world.account("0", null);
    const opened = await buy(account, { pack: "credits-1000" });
    world.stripe.faults.add({ kind: "lose_webhook", times: 20 });
    payOnPage(opened.body.url);
    await world.settle();
    expect(await account.available()).toBe("0");
    world.stripe.faults.clear();
    await world.advance(1200);
    expect(await account.available()).toBe("1000");
  });

  it("whose page nobody pays on ends quietly", async () => {
    const account = await world.account("0", null);
    const opened = await buy(account, { pack: "credits-1000" });
    await world.advance(3 * 86_400);
    expect((await account.get(`/v1/payments/${opened.body.id}`)).body).toMatchObject({
      state: "canceled",
      url: null,
    });
    expect(await account.notices()).toEqual([]);
  });

  it("on a page may fail with one card and succeed with the next", async () => {
    const account = await world.account("0", null);
    const opened = await buy(account, { pack: "credits-1000" });
    payOnPage(opened.body.url, "pm_card_chargeDeclined");
    await world.settle();
    expect((await account.get(`/v1/payments/${opened.body.id}`)).body.state).toBe("wanted");
    payOnPage(opened.body.url);
    await world.settle();
    expect(await account.available()).toBe("1000");
  });

  it("whose provider is silent goes on by itself, and nobody is charged twice", async () => {
    const account = await world.account("0");
    world.stripe.faults.add({ kind: "timeout", when: "after", on: "POST /v1/payment_intents" });
    const bought = await buy(account, { id: "slow", pack: "credits-1000" });
    expect([bought.status, bought.body.state]).toEqual([201, "charging"]);
    await world.advance(30);
    expect((await buy(account, { id: "slow", pack: "credits-1000" })).body.state).toBe("confirmed");
    expect(await account.available()).toBe("1000");
  });

  it("by a customer whom the provider has deleted is made with a new one", async () => {
    const account = await world.account("0");
    const { rows } = await world.engine.pool.query<{ id: string }>(
      "select customer_id as id from payment_customers where account_id = $1",
      [account.id],
    );
    world.stripe.deleteCustomer(rows[0]!.id);
    await world.settle();
    const opened = await buy(account, { pack: "credits-1000" });
    expect(opened.body.url).toContain("cs_test_");
    const saved = await account.post("/v1/payment-methods", { paymentMethod: "pm_card_visa" });
    expect(saved.status).toBe(201);
  });
});

describe("payment methods", () => {
  it("are the account's own: nobody else's can be removed or made the default", async () => {
    const [one, other] = [await world.account("0"), await world.account("0")];
    const body = { paymentMethod: other.methodId };
    expect((await one.call("DELETE", "/v1/payment-methods", body)).status).toBe(404);
    expect((await one.call("PUT", "/v1/payment-methods/default", body)).status).toBe(404);
    expect((await other.get("/v1/payment-methods")).body.paymentMethods).toHaveLength(1);
    const removed = await other.call("DELETE", "/v1/payment-methods", body);
    expect([removed.status, removed.body.paymentMethods]).toEqual([200, []]);
  });

  it("that the bank refuses are not saved, and the reason is told", async () => {
    const account = await world.account("0", null);
    const answer = await account.post("/v1/payment-methods", { paymentMethod: "pm_card_chargeDeclined" });
    expect([answer.status, answer.body.error.param]).toEqual([402, "paymentMethod"]);
    const unknown = await account.post("/v1/payment-methods", { paymentMethod: "pm_card_nobody" });
    expect([unknown.status, unknown.body.error.code]).toEqual([402, "payment_method_refused"]);
  });

  it.each([
    ["their page", "POST /v1/checkout/sessions", {}],
    ["their owner", "POST /v1/customers", { paymentMethod: "pm_card_visa" }],
  ])(
    "can be entered after the provider has failed to make %s, however often it says so again",
    async (_, on, body) => {
      const account = await world.account("0", null);
      world.stripe.faults.add({ kind: "server_error", on, saved: true });
      expect((await account.post("/v1/payment-methods", body)).status).toBe(503);
      expect((await account.post("/v1/payment-methods", body)).status).toBe(201);
      const { data } = await world.sdk.customers.list({ limit: 100 });
      expect(data.filter(({ metadata }) => metadata["bursar_account"] === account.id)).toHaveLength(1);
    },
  );

  it("are removed once, also where the answer was lost", async () => {
    const account = await world.account("0");
    const body = { paymentMethod: account.methodId };
    const remove = () => account.call("DELETE", "/v1/payment-methods", body);
    world.stripe.faults.add({ kind: "timeout", on: "POST /v1/payment_methods/*" });
    expect((await remove()).status).toBe(503);
    const again = await remove();
    expect([again.status, again.body.paymentMethods]).toEqual([200, []]);
    const stranger = await world.account("0");
    expect((await stranger.call("DELETE", "/v1/payment-methods", body)).status).toBe(404);
  });

  it("can be entered on a page of the provider's", async () => {
    const account = await world.account("0", null);
    const answer = await account.post("/v1/payment-methods", {});
    expect([answer.status, answer.body.paymentMethod]).toEqual([201, null]);
    payOnPage(answer.body.url);
    await world.settle();
    expect((await account.get("/v1/payment-methods")).body.paymentMethods).toMatchObject([
      { isDefault: true },
    ]);
  });

  it("are entered on one page, also where the answer was lost; the next time it is another", async () => {
    const account = await world.account("0", null);
    const ask = async () => (await account.post("/v1/payment-methods", {})).body.url as string;
    world.stripe.faults.add({ kind: "timeout", on: "POST /v1/checkout/sessions" });
    expect((await account.post("/v1/payment-methods", {})).status).toBe(503);
    const [first, second] = [await ask(), await ask()];
    expect(second).not.toBe(first);
    const { data } = await world.sdk.checkout.sessions.list({ limit: 10 });
    const own = data.filter(({ customer }) => customer === data[0]!.customer);
    expect(own.map(({ url }) => url)).toEqual([second, first]);
  });
});
