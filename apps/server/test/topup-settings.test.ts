import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Browser, openBrowser } from "./browser.ts";
import { type PayingWorld, POLICY, startPayingWorld } from "./paying-world.ts";
import { codeOf, enrol } from "./totp.ts";

const PATH = "/v1/settings/auto-topup/low-balance";
const password = "correct horse battery";
const FORM = { enabled: true, threshold: 500, amount: 1000, currency: "eur" };

let world: PayingWorld;
beforeAll(async () => {
  world = await startPayingWorld();
});
afterAll(() => world.close());

let people = 0;
async function somebody() {
  const username = `payer${++people}`;
  const person = { username, email: `${username}@example.org`, password };
  const signedUp = await world.call(null, "POST", "/api/auth/signup", person);
  const browser = openBrowser(world.url);
  await browser.post("/api/identity/sign-in/username", { username, password });
  return {
    browser,
    token: signedUp.body.accessToken as string,
    accountId: signedUp.body.user.accountId as string,
  };
}

const setTo = (browser: Browser, code: string, form: object = {}) =>
  browser.post(PATH, { ...FORM, totp_code: code, ...form });

describe("the low-balance form", () => {
  it("asks for a second factor to be switched on first", async () => {
    const { browser } = await somebody();
    const answer = await setTo(browser, "123456");
    expect([answer.status, answer.body.field]).toEqual([400, "totp_code"]);
    expect((await browser.post(PATH, FORM)).body.message).toBe(answer.body.message);
    const { reason: _, ...policy } = POLICY;
    const put = await browser.put("/v1/topup-policy", policy);
    expect([put.status, put.body.error.code]).toEqual([400, "totp_not_enabled"]);
    expect((await browser.get(PATH)).body.auto_topup_low_balance_enabled).toBe(false);
  });

  it("takes a right code once: a wrong one and a used one change nothing", async () => {
    const { browser } = await somebody();
    const { secret, code: first } = await enrol(browser, password);
    const wrong = await setTo(browser, "000000");
    expect([wrong.status, wrong.body.field]).toEqual([401, "totp_code"]);
    const used = await setTo(browser, first);
    expect(used.status).toBe(401);
    const code = codeOf(secret, 1);
    const set = await setTo(browser, code);
    expect([set.status, set.body]).toEqual([
      200,
      expect.objectContaining({
        auto_topup_low_balance_enabled: true,
        auto_topup_low_balance_threshold: 500,
        auto_topup_low_balance_amount: 1000,
        auto_topup_low_balance_currency: "eur",
        has_payment_method: false,
      }),
    ]);
    expect((await setTo(browser, code, { threshold: 1000 })).status).toBe(401);
    expect((await browser.get(PATH)).body.auto_topup_low_balance_threshold).toBe(500);
    const off = await browser.post(PATH, { enabled: false });
    expect([off.status, off.body.auto_topup_low_balance_enabled]).toEqual([200, false]);
  });

  it("tops up below the threshold, and shows when it last did", async () => {
    const { browser, accountId } = await somebody();
    const { secret } = await enrol(browser, password);
    await world.admin("POST", "/v1/payment-methods", { accountId, paymentMethod: "pm_card_visa" });
    expect((await setTo(browser, codeOf(secret, 1))).body.has_payment_method).toBe(true);
    await world.advance(20);
    const { body } = await browser.get(PATH);
    expect(body.last_triggered_at).toBe(new Date(world.clock.time / 1000).toISOString());
    const { rows } = await world.engine.pool.query<{ n: string }>(
      "select count(*)::text as n from encrypted_fields where account_id = $1 and field like 'topup%'",
      [accountId],
    );
    expect(rows[0]!.n).toBe("1");
  });

  it.each([
    [{ threshold: 700 }, "threshold", [500, 1000, 2000, 5000]],
    [{ threshold: "500" }, "threshold", [500, 1000, 2000, 5000]],
    [{ amount: 1500 }, "amount", [1000, 10000, 21000, 54000]],
    [{ currency: "gbp" }, "currency", ["eur", "usd", "jpy"]],
    [{ enabled: 1 }, "enabled", undefined],
    [{ totp_code: 123456 }, "totp_code", undefined],
    [{ threshold: 5000 }, "amount", undefined],
  ])("names what is wrong with %j: %s, and what would be right", async (form, field, allowed) => {
    const { browser } = await somebody();
    const { secret } = await enrol(browser, password);
    const answer = await setTo(browser, codeOf(secret, 1), form);
    expect([answer.status, answer.body.field, answer.body.allowed]).toEqual([400, field, allowed]);
    expect((await browser.get(PATH)).body.auto_topup_low_balance_enabled).toBe(false);
  });

  it("is for people: without a sign-in 401, and tries of codes are limited", async () => {
    expect((await world.call(null, "POST", PATH, FORM)).status).toBe(401);
    const { browser } = await somebody();
    await enrol(browser, password);
    const answers: Awaited<ReturnType<typeof setTo>>[] = [];
    for (let guess = 0; guess < 12; guess++) answers.push(await setTo(browser, `00000${guess % 10}`));
    expect(answers.slice(0, 10).map(({ status }) => status)).toEqual(Array(10).fill(401));
    expect(answers.at(-1)!.status).toBe(429);
    const asked = { ...POLICY, reason: undefined, totpCode: "000000" };
    const other = await browser.put("/v1/topup-policy", asked);
    expect([other.status, other.body.error.retryAfterSeconds]).toEqual([429, expect.any(Number)]);
    for (const { headers } of [answers.at(-1)!, other])
      expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
  });
});

describe("a deduction that runs dry", () => {
  it("is answered 402 with why the top-up could not help", async () => {
    const { token, accountId } = await somebody();
    await world.admin("POST", "/v1/payment-methods", {
      accountId,
      paymentMethod: "pm_card_chargeCustomerFail",
    });
    await world.admin("PUT", "/v1/topup-policy", { ...POLICY, accountId });
    const deduct = () => world.call(token, "POST", "/api/credits/deduct", { credits: 900 });
    const refused = await deduct();
    expect([refused.status, refused.body]).toEqual([
      402,
      expect.objectContaining({ code: "INSUFFICIENT_CREDITS", topUp: "declined" }),
    ]);
    // From then on it is off, and says nothing.
    expect((await deduct()).body).not.toHaveProperty("topUp");
  });
});

describe("an administrator", () => {
  it("who is signed in gives a code as well as a reason; a key alone is enough with a reason", async () => {
    const { browser, accountId } = await somebody();
    await world.engine.pool.query("update identity.people set role = 'admin' where username = $1", [
      `payer${people}`,
    ]);
    const { secret } = await enrol(browser, password);
    const put = (body: object) => browser.put("/v1/topup-policy", { ...POLICY, accountId, ...body });
    expect((await put({})).body.error.code).toBe("totp_refused");
    expect((await put({ totpCode: codeOf(secret, 1) })).status).toBe(200);
  });
});

describe("the policy of a person", () => {
  it("needs their TOTP code, and no reason", async () => {
    const { browser, token } = await somebody();
    const { secret } = await enrol(browser, password);
    const { reason: _, ...policy } = POLICY;
    const put = (body: object) => world.call(token, "PUT", "/v1/topup-policy", body);
    expect((await put(policy)).body.error).toMatchObject({ code: "totp_refused", param: "totpCode" });
    expect((await put({ ...policy, totpCode: "111111" })).status).toBe(401);
    const set = await put({ ...policy, totpCode: codeOf(secret, 1) });
    expect([set.status, set.body.enabled]).toEqual([200, true]);
    expect((await put({ enabled: false })).body.enabled).toBe(false);
  });
});
