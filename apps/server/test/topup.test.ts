import { addSeconds } from "@bursar/contract/instant";
import { advance } from "@bursar/engine/payment/advance";
import { listPayments } from "@bursar/engine/payment/store";
import { NO_NEED, topUp } from "@bursar/engine/topup/buy";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Death, mortal } from "./mortal.ts";
import { type PayingWorld, POLICY, startPayingWorld } from "./paying-world.ts";

let world: PayingWorld;
beforeAll(async () => {
  world = await startPayingWorld();
});
afterAll(() => world.close());

const charges = async (accountId: string) => {
  const { rows } = await world.engine.pool.query<{ n: bigint }>(
    "select count(*) as n from payments where account_id = $1 and state in ('granted', 'confirmed')",
    [accountId],
  );
  return Number(rows[0]!.n);
};

describe("an auto top-up", () => {
  it("is off until somebody switches it on, and buying or reading never does", async () => {
    const account = await world.account("100");
    expect((await account.get("/v1/topup-policy")).body).toMatchObject({ enabled: false, mode: null });
    await account.post("/v1/purchases", { pack: "credits-1000", currency: "eur" });
    await account.get("/v1/balance");
    await account.post("/v1/check", { amount: "5000" });
    await world.settle();
    expect((await account.get("/v1/topup-policy")).body.enabled).toBe(false);
    expect(await account.attempts()).toEqual([]);
    expect(await account.available()).toBe("1100");
  });

  it("buys up to the target in one charge, by itself, after the balance has fallen below the threshold", async () => {
    const account = await world.account("1000");
    expect((await account.policy()).status).toBe(200);
    await account.post("/v1/spend", { id: "one", amount: "500" });
    await world.settle();
    expect(await account.attempts()).toEqual([]);
    await account.post("/v1/spend", { id: "two", amount: "100" });
    expect(await account.available()).toBe("400");
    await world.settle();
    expect(await account.available()).toBe("2000");
    const [attempt, ...rest] = await account.attempts();
    expect(rest).toEqual([]);
    expect(attempt).toMatchObject({
      state: "confirmed",
      credits: "1600",
      amount: 320,
      currency: "eur",
      netBefore: "400",
      threshold: "500",
    });
    expect(await account.notices()).toContain("topup_success");
    expect((await account.get("/v1/topup-policy")).body).toMatchObject({
      chargedToday: 320,
      chargedThisMonth: 320,
      updatedBy: expect.stringMatching(/^admin:|^key:/),
      reason: "test",
    });
    await world.verify();
  });

  it("covers a debt that is larger than one purchase, in one charge", async () => {
    const account = await world.account("1000");
    await account.post("/v1/holds", { id: "h", amount: "100" });
    await account.post("/v1/holds/h/settle", { amount: "4000" });
    expect(await account.balance()).toEqual(["0", "0", "3000"]);
    await account.policy({ mode: "amount", target: undefined, amount: "1000", threshold: "500" });
    await world.advance(20);
    const [attempt] = await account.attempts();
    expect(attempt).toMatchObject({ credits: "4000", amount: 800, state: "confirmed" });
    expect(await account.balance()).toEqual(["1000", "0", "0"]);
  });

  it("makes a request that ran dry proceed, without its sender doing anything", async () => {
    const account = await world.account("10");
    await account.policy();
    const spent = await account.post("/v1/spend", { id: "dry", amount: "900" });
    expect([spent.status, spent.body.charged]).toEqual([200, "900"]);
    const held = await account.post("/v1/holds", { id: "next", amount: "50" });
    expect(held.status).toBe(201);
    expect(await account.available()).toBe("1050");
    expect((await account.attempts()).length).toBe(1);
  });

  it("charges once for 100 requests that meet an empty account together, and all that fit proceed", async () => {
    const account = await world.account("0");
    await account.policy();
    const other = await world.another();
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) => {
        const url = index % 2 === 0 ? world.url : other.url;
        return fetch(`${url}/v1/spend`, {
          method: "POST",
          headers: { authorization: `Bearer ${account.key}` },
          body: JSON.stringify({ id: `burst-${index}`, amount: "30" }),
        });
      }),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(66);
    expect(statuses.filter((status) => status === 402)).toHaveLength(34);
    expect(await charges(account.id)).toBe(1);
    expect(await account.available()).toBe("20");
    await world.settle();
    expect(await charges(account.id)).toBe(1);
    await world.verify();
  });

  it("waits between two charges, and then buys by itself", async () => {
    const account = await world.account("400");
    await account.policy();
    await world.advance(20);
    await account.post("/v1/spend", { id: "again", amount: "1900" });
    await world.settle();
    expect(await account.available()).toBe("100");
    const refused = await account.post("/v1/spend", { id: "short", amount: "200" });
    expect([refused.status, refused.body.error.code, refused.body.error.topUp]).toEqual([
      402,
      "insufficient_credits",
      "in_cooldown",
    ]);
    await world.advance(3600);
    expect(await account.available()).toBe("2000");
    expect((await account.attempts()).length).toBe(2);
  });

  it("never charges more than its caps: as much as they leave, then nothing until the next day", async () => {
    const account = await world.account("0");
    await account.policy({ cooldownSeconds: 0, dailyCap: 700, monthlyCap: 900 });
    await world.advance(20);
    expect(await account.available()).toBe("2000");
    await account.post("/v1/spend", { id: "a", amount: "2000" });
    await world.advance(20);
    // 700 less 400 leaves 300: 1,500 credits.
    expect(await account.available()).toBe("1500");
    await account.post("/v1/spend", { id: "b", amount: "1500" });
    await world.advance(20);
    const refused = await account.post("/v1/spend", { id: "c", amount: "1" });
    expect(refused.body.error.topUp).toBe("cap_reached");
    expect(refused.body.error.message).toContain("cap of its policy");
    await world.advance(86_400);
    // The month leaves 200: 1,000 credits.
    expect(await account.available()).toBe("1000");
    await account.post("/v1/spend", { id: "d", amount: "1000" });
    await world.advance(2 * 86_400);
    expect(await account.available()).toBe("0");
    expect((await account.attempts()).map(({ amount }) => amount)).toEqual([200, 300, 400]);
  });
});

describe("a stream through the gateway", () => {
  const stream = async (account: { key: string }, maxTokens: number) => {
    const response = await fetch(`${world.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${account.key}`, "content-type": "application/json" },
      body: JSON.stringify({
        model: "sandbox-small",
        stream: true,
        stream_options: { include_usage: true },
        max_tokens: maxTokens,
        messages: [{ role: "user", content: "[[sandbox: tokens=200]] Tell me a story" }],
      }),
    });
    return { status: response.status, text: await response.text() };
  };

  it("that ran dry before it began goes on once credits were bought", async () => {
    const account = await world.account("0.1");
    await account.policy();
    const { status, text } = await stream(account, 100);
    expect(status).toBe(200);
    expect(text).toContain("[DONE]");
    expect(text).not.toContain("insufficient_credits");
    expect(await account.attempts()).toHaveLength(1);
    await world.verify();
  });

  it("that runs dry on the way goes on, and is billed as if nothing had been", async () => {
    const account = await world.account("30");
    await account.policy({ threshold: "0" });
    const { text } = await stream(account, 300);
    expect(text).toContain("[DONE]");
    const usage = /"usage":\{[^}]*"completion_tokens":(\d+)/.exec(text);
    expect(usage![1]).toBe("200");
    expect(await account.attempts()).toHaveLength(1);
    const { body } = await account.get("/v1/balance");
    expect(body.owed).toBe("0");
  });

  it("without a top-up stops where the credits end", async () => {
    const account = await world.account("30");
    const { text } = await stream(account, 300);
    const usage = /"usage":\{[^}]*"completion_tokens":(\d+)/.exec(text);
    expect(Number(usage![1])).toBeLessThanOrEqual(50);
  });
});

describe("when it cannot charge", () => {
  it("a decline switches it off and says so, once", async () => {
    const account = await world.account("100", "pm_card_chargeCustomerFail");
    await account.policy();
    const refused = await account.post("/v1/spend", { id: "x", amount: "500" });
    expect([refused.status, refused.body.error.topUp]).toEqual([402, "declined"]);
    expect((await account.get("/v1/topup-policy")).body).toMatchObject({
      enabled: false,
      disabledReason: "generic_decline",
    });
    const again = await account.post("/v1/spend", { id: "y", amount: "500" });
    expect([again.status, again.body.error.topUp]).toEqual([402, undefined]);
    await world.advance(86_400);
    expect((await account.attempts()).map(({ state }) => state)).toEqual(["failed"]);
    expect((await account.notices()).filter((kind) => kind === "topup_disabled")).toHaveLength(1);
    expect(await account.available()).toBe("100");
  });

  it("no usable method switches it off and says so", async () => {
    const account = await world.account("100", null);
    await account.policy();
    await world.advance(20);
    expect((await account.get("/v1/topup-policy")).body.disabledReason).toBe("no_payment_method");
    expect(await account.notices()).toContain("topup_disabled");
  });

  it("a card is good through the last day of its month, and not a day longer", async () => {
    const account = await world.account("100");
    const now = new Date(world.clock.time / 1000);
    const expires = { month: now.getUTCMonth() + 1, year: now.getUTCFullYear() };
    world.stripe.changeCard(account.methodId, { expires });
    await account.policy({ cooldownSeconds: 0 });
    await world.advance(20);
    expect(await account.available()).toBe("2000");
    await world.advance(31 * 86_400);
    await account.post("/v1/spend", { id: "late", amount: "1800" });
    await world.settle();
    expect((await account.get("/v1/topup-policy")).body.disabledReason).toBe("no_payment_method");
  });

  it.each([
    ["no answer, though it was charged", { kind: "timeout", when: "after" }],
    ["no answer, and nothing was charged", { kind: "timeout", when: "before" }],
    ["a cut connection, though it was charged", { kind: "cut", when: "after" }],
    ["a 500, though it was charged", { kind: "server_error", when: "after" }],
    [
      "a 500 that its key repeats, though it was charged",
      { kind: "server_error", when: "after", saved: true },
    ],
    ["a 500 before anything", { kind: "server_error", when: "before" }],
    ["a rate limit", { kind: "rate_limit" }],
  ] as const)("%s: the policy stays on, and it ends in one charge", async (_, fault) => {
    const account = await world.account("100");
    await account.policy();
    world.stripe.faults.add({ ...fault, on: "POST /v1/payment_intents" });
    await world.advance(20);
    for (let tries = 0; tries < 6; tries++) await world.advance(60);
    expect(await account.available()).toBe("2000");
    expect((await account.attempts()).map(({ state }) => state)).toEqual(["confirmed"]);
    expect((await account.get("/v1/topup-policy")).body.enabled).toBe(true);
    world.stripe.faults.clear();
    await world.verify();
  });

  it("a bank that wants its customer leaves the policy on, and the payment can be confirmed by a link", async () => {
    const account = await world.account("100", "pm_card_authenticationRequired");
    await account.policy();
    const refused = await account.post("/v1/spend", { id: "x", amount: "500" });
    expect([refused.status, refused.body.error.topUp]).toEqual([402, "requires_action"]);
    const [attempt] = await account.attempts();
    expect(attempt).toMatchObject({ state: "requires_action", actionUrl: expect.stringContaining("/pay/") });
    expect(await account.notices()).toContain("topup_action_needed");
    expect((await account.get("/v1/topup-policy")).body.enabled).toBe(true);
    const link = new URL(attempt!["actionUrl"] as string);
    const page = await world.call(null, "POST", link.pathname);
    expect([page.status, page.headers.get("location")]).toEqual([
      303,
      expect.stringContaining(world.stripe.url),
    ]);
    const { rows } = await world.engine.pool.query<{ id: string }>(
      "select intent_id as id from payments where account_id = $1",
      [account.id],
    );
    world.stripe.authenticate(rows[0]!.id, "approve");
    const back = await world.call(null, "GET", `${link.pathname}/done`);
    expect(back.body).toContain("the credits are on your balance");
    expect(await account.available()).toBe("2000");
    await world.settle();
    expect((await account.attempts()).map(({ state }) => state)).toEqual(["confirmed"]);
  });

  it("a link that is opened confirms nothing, not even where the bank would ask nobody any more", async () => {
    const account = await world.account("100", "pm_card_authenticationRequired");
    await account.policy();
    await account.post("/v1/spend", { id: "x", amount: "500" });
    const { pathname } = new URL((await account.attempts())[0]!["actionUrl"] as string);
    world.stripe.changeCard(account.methodId, { behavesAs: "pm_card_visa" });
    for (const method of ["HEAD", "GET"]) expect((await world.call(null, method, pathname)).status).toBe(200);
    await world.settle();
    expect((await account.attempts()).map(({ state }) => state)).toEqual(["requires_action"]);
    const pressed = await world.call(null, "POST", pathname);
    expect(pressed.body).toContain("the credits are on your balance");
    expect(await account.available()).toBe("2000");
  });

  it("a payment nobody confirms within a day is called off, and nothing was charged", async () => {
    const account = await world.account("100", "pm_card_authenticationRequired");
    await account.policy();
    await world.advance(20);
    expect((await account.attempts()).map(({ state }) => state)).toEqual(["requires_action"]);
    await world.advance(90_000);
    expect((await account.attempts()).at(-1)).toMatchObject({ state: "canceled" });
    expect(await account.available()).toBe("100");
  });
});

describe("what changes on the way", () => {
  it("a change of currency starts no new caps: earlier charges count at the new one's prices", async () => {
    const account = await world.account("0");
    await account.policy({ cooldownSeconds: 0, dailyCap: 500, monthlyCap: 500 });
    await world.advance(20);
    expect(await account.available()).toBe("2000");
    // 2,000 credits are 600 US cents: of a cap of 700 there are 100 left, less than any purchase.
    await account.policy({ cooldownSeconds: 0, currency: "usd", dailyCap: 700, monthlyCap: 700 });
    const { body } = await account.get("/v1/topup-policy");
    expect([body.currency, body.chargedToday]).toEqual(["usd", 600]);
    await account.post("/v1/spend", { id: "all", amount: "2000" });
    await world.advance(20);
    expect(await account.attempts()).toHaveLength(1);
    await account.policy({ cooldownSeconds: 0, currency: "jpy", dailyCap: 2000, monthlyCap: 2000 });
    await world.advance(20);
    expect((await account.attempts())[0]).toMatchObject({ currency: "jpy", amount: 800, credits: "2000" });
  });

  it.each([
    ["switched off", { enabled: false }],
    ["set to less than it charges", { dailyCap: 300, monthlyCap: 300 }],
    ["set to another currency", { currency: "usd" }],
  ])("an attempt that Stripe never got is not sent once its policy is %s", async (_, change) => {
    const account = await world.account("100");
    await account.policy();
    const fault = {
      kind: "server_error",
      when: "before",
      on: "POST /v1/payment_intents",
      times: 90,
    } as const;
    world.stripe.faults.add(fault);
    await world.advance(20);
    expect((await account.attempts()).map(({ state }) => state)).toEqual(["charging"]);
    expect((await account.policy(change)).status).toBe(200);
    await world.pass(10, 5);
    world.stripe.faults.clear();
    await world.pass(40, 5);
    expect(await account.intents()).toEqual([]);
    await world.pass(20, 5);
    expect((await account.attempts()).map(({ state }) => state)).toEqual(["canceled"]);
  });

  it("an attempt that Stripe got before its policy was switched off gives its credits", async () => {
    const account = await world.account("100");
    await account.policy();
    world.stripe.faults.add({ kind: "lose_webhook", events: "*", times: 50 });
    world.stripe.faults.add({ kind: "server_error", on: "POST /v1/payment_intents" });
    await world.advance(20);
    await account.policy({ enabled: false });
    await world.advance(60);
    world.stripe.faults.clear();
    expect(await account.available()).toBe("2000");
  });

  it("credits that are taken back, for their money did not come, are not bought again with the same card", async () => {
    const account = await world.account("100", "pm_sandbox_processingFail");
    await account.policy({ cooldownSeconds: 0 });
    world.stripe.faults.add({ kind: "lose_webhook", events: "*", times: 50 });
    await world.advance(20);
    expect(await account.available()).toBe("2000");
    world.clock.time = addSeconds(world.clock.time, 300);
    await world.stripe.tick();
    world.stripe.faults.clear();
    const [payment] = await listPayments(world.engine.pool, {
      ...{ accountId: account.id, kind: "topup", limit: 1, after: null },
    });
    // Another process sees to the account in the moment in which they are taken.
    const { ledger } = world.paying;
    const submit: typeof ledger.submit = async (command) => {
      const outcome = await ledger.submit(command);
      if (command.kind === "revoke") await topUp(world.paying, account.id, NO_NEED);
      return outcome;
    };
    await advance({ ...world.paying, ledger: { ...ledger, submit } }, payment!);
    await world.settle();
    expect((await account.attempts()).map(({ state }) => state)).toEqual(["reversed"]);
    expect((await account.get("/v1/topup-policy")).body.disabledReason).toBe("insufficient_funds");
  });

  it("a customer who was deleted has nothing that could be charged", async () => {
    const account = await world.account("100");
    await account.policy();
    const { rows } = await world.engine.pool.query<{ id: string }>(
      "select customer_id as id from payment_customers where account_id = $1",
      [account.id],
    );
    world.stripe.deleteCustomer(rows[0]!.id);
    await world.advance(20);
    expect((await account.get("/v1/topup-policy")).body.disabledReason).toBe("no_payment_method");
    expect(await account.attempts()).toEqual([]);
  });

  it("a method that is removed after the attempt was written down is not charged, and switches it off", async () => {
    const account = await world.account("100");
    await account.policy();
    // The process dies right before it charges.
    const { deps } = mortal(world.paying, { call: "charge" });
    await expect(topUp(deps, account.id, NO_NEED)).rejects.toThrow(Death);
    expect((await account.attempts()).map(({ state }) => state)).toEqual(["charging"]);
    await account.call("DELETE", "/v1/payment-methods", { paymentMethod: account.methodId });
    await world.engine.pool.query("update payments set leased_until = null");
    await world.advance(20);
    expect((await account.attempts()).map(({ state }) => state)).toEqual(["failed"]);
    expect((await account.get("/v1/topup-policy")).body.enabled).toBe(false);
    expect(await account.available()).toBe("100");
  });
});

/** As a try that was cut off long ago would at last. */
async function chargeLate(
  account: Awaited<ReturnType<PayingWorld["account"]>>,
  paymentId: string,
  amount: number,
) {
  const method = await world.sdk.paymentMethods.retrieve(account.methodId);
  await world.sdk.paymentIntents.create({
    ...{ amount, currency: "eur", customer: method.customer as string, payment_method: account.methodId },
    ...{ confirm: true, off_session: true },
    metadata: { bursar_account: account.id, bursar_payment: paymentId },
  });
}

describe("after an outage", () => {
  it("of a day and more, what was charged before it is found, and not charged again", async () => {
    const account = await world.account("100");
    await account.policy();
    // Charged, and dead before anything was written down.
    const { deps } = mortal(world.paying, { call: "submit" });
    await expect(topUp(deps, account.id, NO_NEED)).rejects.toThrow(Death);
    await world.engine.pool.query("update payments set leased_until = null");
    await world.advance(25 * 3600);
    expect(await account.available()).toBe("2000");
    expect((await account.attempts()).map(({ state }) => state)).toEqual(["confirmed"]);
    expect(await account.intents()).toHaveLength(1);
  });

  it.each([
    [45, [320], "2000"],
    // Nothing is sent after an hour: what is called off then was never charged.
    [55, [], "400"],
  ])(
    "of %s minutes that ends with a charge whose answer is lost, it is charged once at most",
    async (minutes, charged, available) => {
      const account = await world.account("600");
      await account.policy({ dailyCap: 400, monthlyCap: 400 });
      const fault = { kind: "server_error", on: "POST /v1/payment_intents", times: 90 } as const;
      world.stripe.faults.add({ ...fault, when: "before" });
      await account.post("/v1/spend", { id: "work", amount: "200" });
      await world.pass(minutes, 5);
      world.stripe.faults.clear();
      world.stripe.faults.add({ kind: "lose_webhook", events: "*", times: 50 });
      world.stripe.faults.add(fault);
      await world.pass(180 - minutes, 5);
      world.stripe.faults.clear();
      expect((await account.intents()).map(({ amount }) => amount)).toEqual(charged);
      expect(await account.available()).toBe(available);
      expect(await account.attempts()).toHaveLength(1);
    },
  );

  /** 90 minutes in which Stripe makes no charge. */
  async function needThroughAnOutage(): Promise<Awaited<ReturnType<typeof world.account>>> {
    const account = await world.account("600");
    await account.policy({ dailyCap: 400, monthlyCap: 400 });
    world.stripe.faults.add({
      ...{ kind: "server_error", when: "before", on: "POST /v1/payment_intents", times: 90 },
    });
    await account.post("/v1/spend", { id: "work", amount: "200" });
    await world.pass(90, 10);
    world.stripe.faults.clear();
    return account;
  }

  it("of more than an hour an attempt is given up, and counts for a day: its charge may still come", async () => {
    const account = await needThroughAnOutage();
    const [attempt] = await account.attempts();
    expect(attempt).toMatchObject({ state: "canceled" });
    expect((await account.get("/v1/topup-policy")).body.chargedToday).toBe(320);
    await world.advance(2 * 3600);
    expect(await account.attempts()).toHaveLength(1);
    await chargeLate(account, String(attempt!["id"]), 320);
    await world.settle();
    expect(await account.available()).toBe("2000");
    expect((await account.get("/v1/topup-policy")).body.chargedToday).toBe(320);
    expect(await account.intents()).toHaveLength(1);
  });

  it("of more than an hour an attempt of which nothing came is made anew the next day", async () => {
    const account = await needThroughAnOutage();
    await world.advance(25 * 3600);
    expect((await account.intents()).map(({ amount }) => amount)).toEqual([320]);
  });

  it("an attempt that nobody confirms ends after 24 hours, however rarely anybody looks", async () => {
    const account = await world.account("100", "pm_card_authenticationRequired");
    await account.policy();
    await world.advance(20);
    for (let hour = 0; hour < 25; hour++) await world.advance(3600);
    expect((await account.attempts()).at(-1)).toMatchObject({ state: "canceled" });
  });
});

describe("a request that waited", () => {
  it("buys nothing where credits have come meanwhile", async () => {
    const account = await world.account("2000");
    await account.policy({ cooldownSeconds: 0 });
    const { topUps } = world.engine;
    expect(await topUps!.cover(account.id, 1_000_000_000n)).toEqual({
      kind: "not_covered",
      reason: "not_needed",
    });
    expect(await account.attempts()).toEqual([]);
  });
});

describe("two requests that wait together", () => {
  it("each get what the caps leave for it: one that needs too much is not the other's answer", async () => {
    const account = await world.account("600");
    const amount = { mode: "amount", target: undefined, amount: "500", threshold: "500" };
    await account.policy({ ...amount, dailyCap: 100, monthlyCap: 100 });
    const { topUps } = world.engine;
    const needs = [1_900_000_000n, 900_000_000n];
    const [large, small] = await Promise.all(needs.map((needed) => topUps!.cover(account.id, needed)));
    expect(large).toEqual({ kind: "not_covered", reason: "cap_reached" });
    expect(small).toEqual({ kind: "added", credits: 500_000_000n });
  });
});

describe("a policy", () => {
  it.each([
    [{ mode: undefined }, "mode"],
    [{ threshold: undefined }, "threshold"],
    [{ target: undefined }, "target"],
    [{ target: "500" }, "target"],
    [{ amount: "1000" }, "amount"],
    [{ mode: "amount", target: undefined, amount: "499" }, "amount"],
    [{ mode: "amount", target: undefined, amount: "400", threshold: "300" }, "amount"],
    [{ currency: undefined }, "currency"],
    [{ currency: "gbp" }, "currency"],
    [{ dailyCap: undefined }, "dailyCap"],
    [{ dailyCap: 299 }, "dailyCap"],
    [{ dailyCap: 1.5 }, "dailyCap"],
    [{ monthlyCap: 9_999 }, "monthlyCap"],
    [{ threshold: "-1" }, "threshold"],
    [{ cooldownSeconds: -1 }, "cooldownSeconds"],
    [{ enabled: "yes" }, "enabled"],
    [{ reason: undefined }, "reason"],
    [{ colour: "red" }, "colour"],
  ])("with %j is refused, naming %s, and nothing is set", async (fields, param) => {
    const account = await world.account("100");
    const answer = await account.policy(fields);
    expect([answer.status, answer.body.error.param]).toEqual([422, param]);
    expect((await account.get("/v1/topup-policy")).body).toMatchObject({ enabled: false, updatedAt: null });
  });

  it("is not for programs to change: an account's API key may not", async () => {
    const account = await world.account("100");
    const answer = await account.call("PUT", "/v1/topup-policy", POLICY);
    expect([answer.status, answer.body.error.code]).toEqual([403, "person_required"]);
    const off = await account.call("PUT", "/v1/topup-policy", { enabled: false });
    expect([off.status, off.body.enabled]).toEqual([200, false]);
  });
});
