import { errorBody } from "@bursar/contract/errors";
import type { AccountId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { Operation } from "@bursar/contract/operation";
import { type OperationName, v1 } from "@bursar/contract/v1";
import { notify } from "@bursar/engine/notice/notify";
import type { Payments } from "@bursar/engine/payment/payments";
import { type SandboxStripe, startSandboxStripe } from "@bursar/sandbox/stripe";
import { openStripe } from "@bursar/stripe/open";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SANDBOX_SALES } from "../src/sandbox/sales.ts";
import { ORGANIZATION_CALLS } from "./organization-calls.ts";
import { PRICES, type Running, startRunning } from "./running.ts";

let running: Running;
let stripe: SandboxStripe;
let payments: Payments;
beforeAll(async () => {
  stripe = await startSandboxStripe({ now: () => Math.floor(running.clock.time / 1000) });
  payments = openStripe(stripe);
  running = await startRunning(undefined, 0, {}, { payments });
  await running.engine.prices.put({ body: { ...PRICES, credits: SANDBOX_SALES }, by: "test" });
  await prepareCodes();
});
afterAll(async () => {
  await running.close();
  await stripe.close();
});

const admin = (method: string, path: string, body?: unknown) =>
  running.call(running.adminKey, method, path, body);

/** Codes that the table redeems, and a batch that it shows and voids. */
const codes = { gift: "", referral: "", batch: "" };

async function prepareCodes() {
  const made = await admin("POST", "/v1/gift-cards", { count: 2, amount: "1" });
  codes.gift = made.body.cards[0].code;
  codes.batch = made.body.id;
  await admin("POST", "/v1/promo-codes", { code: "TABLE-ONE", amount: "1" });
  const other = await running.account("0");
  codes.referral = (await running.call(other.key, "PUT", "/v1/referrals/code")).body.code;
}

const LISTINGS = [
  ["/v1/entries", 1000],
  ["/v1/payments", 200],
  ["/v1/topup-attempts", 200],
  ["/v1/invoices", 200],
  ["/v1/notices", 200],
  ["/v1/events", 200],
  ["/v1/accounts", 1000],
] as const;

/** Those of people are in a table of their own, or in the tests of refunds and of the export. */
type Tabled = Exclude<OperationName, keyof typeof ORGANIZATION_CALLS | "refundUnused" | "exportAccount">;

/** One good call of every operation. A new operation without a row does not compile. */
const GOOD_CALLS: Record<Tabled, (accountId: string) => [path: string, body?: unknown]> = {
  getBalance: () => ["/v1/balance"],
  getQuota: () => ["/v1/quota"],
  listExpiries: () => ["/v1/expiries"],
  getForecast: () => ["/v1/forecast"],
  listPlans: () => ["/v1/plans"],
  getSubscription: () => ["/v1/subscription"],
  subscribe: () => ["/v1/subscription", { id: "table-subscription", plan: "orbit", currency: "eur" }],
  previewSubscription: () => ["/v1/subscription/preview", { plan: "galaxy" }],
  changeSubscription: () => ["/v1/subscription", { plan: "galaxy" }],
  cancelSubscription: () => ["/v1/subscription"],
  resumeSubscription: () => ["/v1/subscription/resume"],
  listInvoices: () => ["/v1/invoices"],
  check: () => ["/v1/check", { model: "small", inputTokens: 10, maxOutputTokens: 10 }],
  createHold: () => ["/v1/holds", { id: "table-hold", amount: "1" }],
  extendHold: () => ["/v1/holds/table-hold/extend", { amount: "1", id: "table-extension" }],
  settleHold: () => ["/v1/holds/table-hold/settle", { amount: "1.5" }],
  releaseHold: () => ["/v1/holds/table-release/release"],
  spend: () => [
    "/v1/spend",
    { id: "table-spend", usage: { model: "small", inputTokens: 10, outputTokens: 5 } },
  ],
  batch: () => ["/v1/batch", { operations: [{ op: "hold", id: "table-release", amount: "1" }] }],
  createRun: () => ["/v1/runs", { id: "table-run", budget: "1" }],
  listRuns: () => ["/v1/runs"],
  getRun: () => ["/v1/runs/table-run"],
  endRun: () => ["/v1/runs/table-run"],
  listEntries: () => ["/v1/entries?limit=3"],
  getReceipt: () => ["/v1/receipts/table-spend"],
  getUsage: () => ["/v1/usage?groupBy=model"],
  exportUsage: () => ["/v1/usage/export?month=2026-09"],
  listNotices: () => ["/v1/notices"],
  readNotice: () => ["/v1/notices/table-notice/read"],
  readAllNotices: () => ["/v1/notices/read-all"],
  deleteNotice: () => ["/v1/notices/table-notice"],
  deleteReadNotices: () => ["/v1/notices"],
  redeemGiftCard: () => ["/v1/gift-cards/redeem", { code: codes.gift }],
  redeemPromoCode: () => ["/v1/promo-codes/redeem", { code: "table-one" }],
  getReferrals: () => ["/v1/referrals"],
  makeReferralCode: () => ["/v1/referrals/code"],
  trackReferral: () => ["/v1/referrals", { code: codes.referral }],
  listModels: () => ["/v1/models"],
  listPacks: () => ["/v1/packs?credits=1500"],
  createPurchase: () => ["/v1/purchases", { id: "table-purchase", pack: "credits-1000", currency: "eur" }],
  listPayments: () => ["/v1/payments"],
  getPayment: () => ["/v1/payments/table-purchase"],
  listPaymentMethods: () => ["/v1/payment-methods"],
  addPaymentMethod: () => ["/v1/payment-methods", { paymentMethod: "pm_card_visa" }],
  setDefaultPaymentMethod: () => ["/v1/payment-methods/default", { paymentMethod: "METHOD" }],
  removePaymentMethod: () => ["/v1/payment-methods", { paymentMethod: "METHOD" }],
  getTopUpPolicy: () => ["/v1/topup-policy"],
  putTopUpPolicy: () => ["/v1/topup-policy", { enabled: false }],
  previewTopUpPolicy: () => [
    "/v1/topup-policy/preview?mode=target&threshold=500&target=2000&currency=eur&dailyCap=1000&monthlyCap=5000",
  ],
  listTopUpAttempts: () => ["/v1/topup-attempts"],
  refundPayment: (accountId) => ["/v1/payments/table-purchase/refund", { accountId, reason: "test" }],
  listEvents: () => ["/v1/events"],
  resendEvent: () => ["/v1/events/EVENT/resend"],
  createAccount: () => ["/v1/accounts", { name: "made by the table" }],
  listAccounts: () => ["/v1/accounts?limit=2"],
  getAccount: (accountId) => [`/v1/accounts/${accountId}`],
  freezeAccount: (accountId) => [`/v1/accounts/${accountId}/freeze`, { reason: "test" }],
  unfreezeAccount: (accountId) => [`/v1/accounts/${accountId}/unfreeze`, { reason: "test" }],
  createAdjustment: (accountId) => ["/v1/adjustments", { accountId, amount: "-1", reason: "test" }],
  putQuota: (accountId) => [`/v1/accounts/${accountId}/quota`, { credits: "10" }],
  createGrant: (accountId) => ["/v1/grants", { id: "table-grant", accountId, amount: "5" }],
  revokeGrant: (accountId) => ["/v1/grants/table-grant/revoke", { accountId, amount: "1", reason: "test" }],
  createGiftCards: () => ["/v1/gift-cards", { count: 1, amount: "1" }],
  listGiftBatches: () => ["/v1/gift-batches"],
  getGiftBatch: () => [`/v1/gift-batches/${codes.batch}`],
  voidGiftCards: () => [`/v1/gift-cards/${codes.batch}/void`, { reason: "test" }],
  createPromoCode: () => ["/v1/promo-codes", { code: "TABLE-TWO", amount: "1" }],
  listPromoCodes: () => ["/v1/promo-codes"],
  disablePromoCode: () => ["/v1/promo-codes/TABLE-TWO/disable"],
  createKey: (accountId) => ["/v1/keys", { accountId, name: "table" }],
  listKeys: (accountId) => [`/v1/keys?accountId=${accountId}`],
  revokeKey: () => ["/v1/keys/KEY"],
  rotateKeys: () => ["/v1/encryption/rotate"],
  getPriceBook: () => ["/v1/price-book"],
  putPriceBook: () => ["/v1/price-book", { book: PRICES }],
  listAdminActions: (accountId) => [`/v1/admin/actions?accountId=${accountId}`],
};

/** The order in which each finds what it needs. */
/** Who has begun a plan has bought, and can be brought by nobody any more. */
const FIRST: readonly Tabled[] = ["trackReferral"];
const LAST: readonly Tabled[] = ["releaseHold", "revokeKey"];
const isTabled = (name: OperationName): name is Tabled => name in GOOD_CALLS;
const ORDER: readonly Tabled[] = [
  ...FIRST,
  ...(Object.keys(v1) as OperationName[])
    .filter(isTabled)
    .filter((name) => ![...FIRST, ...LAST].includes(name)),
  ...LAST,
];

/** What rows of the table refer to, and what only exists once other rows have been called. */
async function madeMeanwhile(account: Awaited<ReturnType<Running["account"]>>) {
  const [method] = (await account.get("/v1/payment-methods")).body.paymentMethods;
  const events = payments.eventsSince(0 as Instant);
  const { value: event } = await events[Symbol.asyncIterator]().next();
  return { KEY: account.keyId, EVENT: event?.id ?? "none", METHOD: method?.id ?? "none" };
}

describe("every operation", () => {
  it("answers in the shape of its contract, and refuses whoever may not", async () => {
    // Not bought: who has bought before can be brought by nobody.
    const account = await running.account("0");
    await admin("POST", "/v1/grants", { accountId: account.id, amount: "100" });
    const other = await running.account();
    const { pool, clock } = running.engine;
    const told = { kind: "system_message", title: "Told by the table", text: "Text." } as const;
    await notify(pool, clock, { ...told, id: "table-notice", accountId: account.id });
    for (const name of ORDER) {
      const operation = v1[name] as Operation;
      const [rawPath, rawBody] = GOOD_CALLS[name](account.id);
      const made = await madeMeanwhile(account);
      const path = rawPath.replace("KEY", made.KEY).replace("EVENT", made.EVENT);
      const body =
        rawBody === undefined
          ? undefined
          : (JSON.parse(JSON.stringify(rawBody).replace("METHOD", made.METHOD)) as object);
      const method = operation.method.toUpperCase();
      const isAdmin = operation.access === "admin";

      const anonymous = await running.call(null, method, path, body);
      expect([name, anonymous.status, anonymous.body.error.code]).toEqual([name, 401, "unauthenticated"]);
      const stranger = await running.call("bsk_wrong", method, path, body);
      expect([name, stranger.status]).toEqual([name, 401]);
      if (isAdmin) {
        const member = await running.call(other.key, method, path, body);
        expect([name, member.status, member.body.error.code]).toEqual([name, 403, "admin_required"]);
      } else {
        const query = path.includes("?") ? "&" : "?";
        const isQuery = operation.query !== undefined;
        const named = isQuery ? `${path}${query}accountId=${account.id}` : path;
        const withAccount = isQuery ? undefined : { ...(body as object), accountId: account.id };
        if (name !== "listModels") {
          const foreign = await running.call(other.key, method, named, withAccount);
          expect([name, foreign.status, foreign.body.error.param]).toEqual([name, 403, "accountId"]);
        }
      }
      const answer = await running.call(isAdmin ? running.adminKey : account.key, method, path, body);
      expect([name, answer.status, answer.body]).toEqual([name, operation.status, expect.anything()]);
      const parsed = operation.answer.safeParse(answer.body);
      expect([name, parsed.error?.issues]).toEqual([name, undefined]);
      const requestId = answer.headers.get("x-request-id");
      expect(requestId).toMatch(/^req_/);
      if (isAdmin && operation.method !== "get") {
        const { actions } = (await admin("GET", "/v1/admin/actions?limit=1")).body;
        expect(actions).toMatchObject([{ operation: name, requestId, outcome: "done" }]);
      }
    }
  });

  it("is described at /openapi.json", async () => {
    const { body } = await running.call(null, "GET", "/openapi.json");
    expect(body.openapi).toBe("3.1.0");
    for (const operation of Object.values(v1) as Operation[]) {
      expect(body.paths[operation.path][operation.method].operationId).toBe(operation.name);
    }
    const references = JSON.stringify(body).matchAll(/"\$ref":"#\/([^"]+)"/g);
    const found = (path: string) =>
      path.split("/").reduce((at: Record<string, never> | undefined, name) => at?.[name], body);
    for (const [, path] of references) expect([path, found(path!)]).toEqual([path, expect.anything()]);
  });

  it("describes every status and every fact of an error", async () => {
    const { paths } = (await running.call(null, "GET", "/openapi.json")).body;
    const account = await running.account("1");
    const hold = { id: "far", model: "small", inputTokens: 1, maxOutputTokens: 8_000_000 };
    for (const [path, answer] of [
      ["/v1/holds", await account.post("/v1/holds", hold)],
      ["/v1/spend", await account.post("/v1/spend", "{")],
      ["/v1/spend", await account.post("/v1/spend", { id: "x".repeat(1 << 20) })],
      ["/v1/spend", await account.post("/v1/spend", { id: "x", amount: "1", accountId: "acct_other" })],
    ] as const) {
      expect(Object.keys(paths[path].post.responses)).toContain(String(answer.status));
      expect(errorBody.shape.error.strict().safeParse(answer.body.error).error).toBeUndefined();
    }
    const headers = paths["/v1/spend"].post.parameters.map(({ name }: { name: string }) => name);
    expect(headers).toContain("idempotency-key");
  });
});

describe("keys", () => {
  it("end at once when revoked, also for calls whose key was known a moment ago", async () => {
    const account = await running.account();
    expect((await account.post("/v1/spend", { id: "before", amount: "1" })).status).toBe(200);
    await admin("DELETE", `/v1/keys/${account.keyId}`);
    for (const answer of [
      await account.get("/v1/balance"),
      await account.post("/v1/spend", { id: "after", amount: "1" }),
    ]) {
      expect([answer.status, answer.body.error.code]).toEqual([401, "key_revoked"]);
    }
  });

  it("are made once under an Idempotency-Key: repeated, by however many at once, it names the first", async () => {
    const [account, other] = [await running.account(), await running.account()];
    const make = (accountId: string, name = "ci", key = "make-key-1") =>
      running.call(running.adminKey, "POST", "/v1/keys", { accountId, name }, { "idempotency-key": key });
    const answers = await Promise.all(Array.from({ length: 5 }, () => make(account.id)));
    const [first, ...none] = answers.filter(({ status }) => status === 201);
    expect(none).toEqual([]);
    const { id: keyId, key, prefix } = first!.body;
    const again = [...answers.filter(({ status }) => status !== 201), await make(account.id, "another name")];
    expect(again).toHaveLength(5);
    for (const { status, body } of again) {
      const { code, param } = body.error;
      expect([status, code, param]).toEqual([409, "key_conflict", "Idempotency-Key"]);
      expect(body.error).toMatchObject({ keyId, prefix });
      expect(JSON.stringify(body)).not.toContain(key);
    }
    const { keys } = (await admin("GET", `/v1/keys?accountId=${account.id}`)).body;
    expect(keys).toHaveLength(2);
    expect(new Set(keys.map(({ id }: { id: string }) => id))).toEqual(new Set([account.keyId, keyId]));
    expect((await running.call(key, "GET", "/v1/balance")).body.accountId).toBe(account.id);
    expect((await make(other.id)).status).toBe(201);
    expect((await make(account.id, "ci", "make-key-2")).status).toBe(201);
    expect((await make("acct_nobody")).body.error.code).toBe("account_unknown");
    expect((await admin("DELETE", `/v1/keys/${keyId}`)).status).toBe(200);
  });

  it("end at their expiry", async () => {
    const account = await running.account();
    const expiresAt = new Date(running.clock.time / 1000 + 60_000).toISOString();
    const { body } = await admin("POST", "/v1/keys", { accountId: account.id, expiresAt });
    expect((await running.call(body.key, "GET", "/v1/balance")).status).toBe(200);
    running.clock.time = (running.clock.time + 60_000_000) as typeof running.clock.time;
    expect((await running.call(body.key, "GET", "/v1/balance")).body.error.code).toBe("key_expired");
    const spend = await running.call(body.key, "POST", "/v1/spend", { id: "late", amount: "1" });
    expect(spend.body.error.code).toBe("key_expired");
  });

  it("stop at their cap: a hold counts at once, and its settlement corrects the count", async () => {
    const account = await running.account("100", { capAmount: 10_000_000n });
    await account.post("/v1/holds", { id: "h", amount: "8" });
    const over = await account.post("/v1/spend", { id: "s", amount: "3" });
    expect([over.status, over.body.error.code]).toEqual([402, "cap_exceeded"]);
    await account.post("/v1/holds/h/settle", { amount: "2" });
    expect((await account.post("/v1/spend", { id: "s", amount: "3" })).status).toBe(200);
    const { body } = await admin("GET", `/v1/keys?accountId=${account.id}`);
    expect(body.keys[0]).toMatchObject({ capAmount: "10", capUsed: "5", capWindow: "total" });
    const receipt = await account.get("/v1/receipts/s");
    expect(receipt.body.policy.caps).toEqual([{ id: account.keyId, limit: "10", window: "total" }]);
  });

  it("of an administrator need the account's name", async () => {
    const answer = await admin("GET", "/v1/balance");
    expect([answer.status, answer.body.error.param]).toEqual([422, "accountId"]);
  });
});

describe("repeating", () => {
  it("gives the first result for the same id and body, and a conflict for another body", async () => {
    const account = await running.account();
    const first = await account.post("/v1/spend", { id: "r", amount: "1.5" });
    const again = await account.post("/v1/spend", { id: "r", amount: "1.5" });
    const other = await account.post("/v1/spend", { id: "r", amount: "2" });
    expect(again.body).toEqual(first.body);
    expect([other.status, other.body.error.code]).toEqual([409, "key_conflict"]);
    expect((await account.get("/v1/balance")).body.available).toBe("98.5");
  });

  it("takes the id from the Idempotency-Key header, and refuses two that differ", async () => {
    const account = await running.account();
    const key = { "idempotency-key": "from-header" };
    expect((await account.post("/v1/spend", { amount: "1" }, key)).body.id).toBe("from-header");
    expect((await account.post("/v1/spend", { amount: "1" }, key)).body.available).toBe("99");
    expect((await account.post("/v1/spend", { id: "body", amount: "1" }, key)).status).toBe(422);
  });

  it("holds the header to what the id in the body may be", async () => {
    const account = await running.account();
    const long = "a".repeat(128);
    const asks = [
      ["/v1/subscription", { plan: "orbit", currency: "eur" }],
      ["/v1/purchases", { pack: "small", currency: "eur" }],
      ["/v1/runs", { budget: "1" }],
    ] as const;
    for (const [path, body] of asks) {
      const byHeader = await account.post(path, body, { "idempotency-key": long });
      expect([path, byHeader.status, byHeader.body.error.param]).toEqual([path, 422, "Idempotency-Key"]);
      const byBody = await account.post(path, { ...body, id: long });
      expect([path, byBody.status, byBody.body.error.param]).toEqual([path, 422, "id"]);
    }
    expect((await account.post("/v1/spend", { amount: "1" }, { "idempotency-key": long })).status).toBe(200);
  });

  it("answers 200 for a repeated grant, also when its default expiry would have moved on", async () => {
    const account = await running.account("0");
    const body = { id: "rg", accountId: account.id, amount: "10" };
    const first = await admin("POST", "/v1/grants", body);
    running.clock.time = (running.clock.time + 5_000_000) as typeof running.clock.time;
    const again = await admin("POST", "/v1/grants", body);
    expect([first.status, again.status]).toEqual([201, 200]);
    expect(again.body).toEqual(first.body);
  });

  it("of an extension with another report or time is a conflict: it would not be done", async () => {
    const account = await running.account();
    await account.post("/v1/holds", { id: "growing", amount: "5" });
    const extend = (body: object) => account.post("/v1/holds/growing/extend", { id: "more", ...body });
    const first = await extend({ amount: "1", reported: "2", ttlSeconds: 60 });
    expect((await extend({ amount: "1", reported: "2", ttlSeconds: 60 })).body).toEqual(first.body);
    for (const other of [{ reported: "3", ttlSeconds: 60 }, { reported: "2", ttlSeconds: 90 }, {}])
      expect((await extend({ amount: "1", ...other })).body.error.code).toBe("key_conflict");
    const plain = await account.post("/v1/holds/growing/extend", { id: "plain", amount: "1" });
    const again = await account.post("/v1/holds/growing/extend", { id: "plain", amount: "1" });
    expect(again.body).toEqual(plain.body);
  });

  it("answers 200 for a repeated grant after its end, too, also in a batch", async () => {
    const account = await running.account("0");
    const expiresAt = new Date(running.clock.time / 1000 + 1000).toISOString();
    const grant = { id: "short", accountId: account.id, amount: "5", expiresAt };
    const first = await admin("POST", "/v1/grants", grant);
    running.clock.time = (running.clock.time + 2_000_000) as typeof running.clock.time;
    const again = await admin("POST", "/v1/grants", grant);
    expect([again.status, again.body]).toEqual([200, first.body]);
    const operations = [
      { op: "grant", ...grant },
      { op: "grant", ...grant, id: "never" },
    ];
    const { results } = (await admin("POST", "/v1/batch", { accountId: account.id, operations })).body;
    expect(results).toMatchObject([
      { ok: true, id: "short" },
      { ok: false, error: { param: "expiresAt" } },
    ]);
    expect((await account.get("/v1/balance")).body.available).toBe("0");
  });

  it("settles a hold once, whatever comes later", async () => {
    const account = await running.account();
    await account.post("/v1/holds", { id: "once", amount: "10" });
    const first = await account.post("/v1/holds/once/settle", { amount: "4" });
    expect(first.body).toMatchObject({ charged: "4", released: "6", overrun: "0", available: "96" });
    expect((await account.post("/v1/holds/once/settle", { amount: "9" })).body).toEqual(first.body);
    expect((await account.post("/v1/holds/once/release")).body.error.code).toBe("hold_closed");
  });
});

/** One that so much was given to that the database can count no more. */
/** One whose row says that its history has not begun: its next entry would be the first a second time. */
async function brokenAccount(): Promise<AccountId> {
  const { id } = await running.account("1");
  await running.engine.pool.query("update accounts set seq = 0 where account_id = $1", [id]);
  return id;
}

describe("a batch", () => {
  it("is decided one by one, in order, and a refusal or a malformed operation stops nothing", async () => {
    const account = await running.account("10");
    const operations = [
      { op: "hold", id: "b1", amount: "4" },
      { op: "settle", id: "b1", amount: "1" },
      { op: "release", id: "b1" },
      { op: "spend", id: "b2", amount: "100" },
      { op: "spend", id: "b3", amount: "-1" },
      { op: "grant", id: "b4", amount: "1" },
      { op: "spend", id: "b5", amount: "9" },
    ];
    const { status, body } = await account.post("/v1/batch", { operations });
    expect(status).toBe(200);
    const told = body.results.map(
      (result: { ok: boolean; error?: { code: string } }) => result.error?.code ?? result.ok,
    );
    expect(told).toEqual([
      true,
      true,
      "hold_closed",
      "insufficient_credits",
      "invalid_request",
      "admin_required",
      true,
    ]);
    expect(body.results[4].error.param).toBe("operations.4.amount");
    expect(body.results[6]).toMatchObject({ ok: true, charged: "9", available: "0" });
  });

  it("fails where one operation alone fails, in its place: the others are done", async () => {
    const broken = await brokenAccount();
    const account = await running.account("10");
    const operations = [
      { op: "spend", id: "before", amount: "1" },
      { op: "grant", id: "fails", amount: "1", accountId: broken },
      { op: "grant", id: "given", amount: "5" },
      { op: "spend", id: "after", amount: "2" },
    ];
    const { status, body } = await admin("POST", "/v1/batch", { accountId: account.id, operations });
    expect([status, body.results]).toMatchObject([
      200,
      [
        { ok: true, charged: "1" },
        { ok: false, error: { code: "internal", message: expect.any(String) } },
        { ok: true, id: "given" },
        { ok: true, charged: "2" },
      ],
    ]);
    expect((await account.get("/v1/balance")).body.available).toBe("12");
    const actions = (await admin("GET", "/v1/admin/actions?operation=createGrant&limit=2")).body.actions;
    const outcomeOf = (accountId: string) =>
      actions.find((action: { accountId: string }) => action.accountId === accountId).outcome;
    expect([outcomeOf(account.id), outcomeOf(broken)]).toEqual(["done", null]);
  });

  it("takes a thousand operations and no more", async () => {
    const account = await running.account("1000");
    const spends = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ op: "spend", id: `k${index}`, amount: "1" }));
    const thousand = await account.post("/v1/batch", { operations: spends(1000) });
    expect(thousand.body.results.every((result: { ok: boolean }) => result.ok)).toBe(true);
    const more = await account.post("/v1/batch", { operations: spends(1001) });
    expect([more.status, more.body.error.param]).toEqual([422, "operations"]);
  });
});

describe("the gate", () => {
  it("says what is affordable: exactly so many output tokens, and a model that fits", async () => {
    const account = await running.account("1");
    const work = { model: "large", inputTokens: 100, maxOutputTokens: 1000 };
    const refused = await account.post("/v1/holds", { id: "dear", ...work });
    expect(refused.status).toBe(402);
    expect(refused.body.error).toMatchObject({ available: "1", missing: "4.1" });
    // 1 credit less 100 input tokens at 1000 a million leaves 0.9: 180 output tokens at 5000 a million.
    expect(refused.body.error.affordable).toEqual({ maxOutputTokens: 180, model: "small" });
    const check = await account.post("/v1/check", work);
    expect(check.body).toMatchObject({ allowed: false, reason: "insufficient_credits", missing: "4.1" });
    const held = await account.post("/v1/holds", { id: "fits", ...work, maxOutputTokens: 180 });
    expect(held.body).toMatchObject({ state: "open", amount: "1", available: "0" });
  });

  it("says of a hold, held, repeated or refused, what its feature and its parent pay for, as a check does", async () => {
    const account = await running.account("10");
    const scoped = { accountId: account.id, amount: "1000", scope: ["images"] };
    await admin("POST", "/v1/grants", scoped);
    const work = { model: "small", inputTokens: 0, maxOutputTokens: 1000 };
    const hold = async (fields: object) => {
      const { body } = await account.post("/v1/holds", { ...work, ...fields });
      return (body.error ?? body).affordable.maxOutputTokens;
    };
    // 10 credits at 500 a million.
    expect((await account.post("/v1/check", work)).body.affordable).toEqual({ maxOutputTokens: 20_000 });
    expect(await hold({ id: "text" })).toBe(20_000);
    expect(await hold({ id: "text" })).toBe(20_000);
    const images = { ...work, feature: "images" };
    expect((await account.post("/v1/check", images)).body.affordable.maxOutputTokens).toBe(2_019_000);
    expect(await hold({ id: "image", feature: "images" })).toBe(2_019_000);
    await account.post("/v1/runs", { id: "small-run", budget: "2" });
    const parentId = "run:small-run";
    expect(await hold({ id: "child", parentId })).toBe(4000);
    expect(await hold({ id: "child", parentId })).toBe(4000);
    expect(await hold({ id: "too-much", parentId, maxOutputTokens: 4000 })).toBe(3000);
    await account.post("/v1/holds/child/release");
    expect(await hold({ id: "child", parentId })).toBe(4000);
    await running.call(account.key, "DELETE", "/v1/runs/small-run");
    expect(await hold({ id: "child", parentId })).toBe(0);
  });

  it("says in a check, too, how much of what is affordable a key's cap leaves", async () => {
    const account = await running.account("1000", { capAmount: 10_000_000n });
    const work = { model: "small", inputTokens: 0, maxOutputTokens: 30_000 };
    const checked = async () => {
      const { allowed, reason, affordable } = (await account.post("/v1/check", work)).body;
      return [allowed, reason, affordable.maxOutputTokens];
    };
    // 15 credits at 500 a million, and the cap has 10, then 4.
    expect(await checked()).toEqual([false, "cap_exceeded", 20_000]);
    await account.post("/v1/spend", { id: "s", amount: "6" });
    expect(await checked()).toEqual([false, "cap_exceeded", 8000]);
    expect((await account.post("/v1/holds", { id: "h", ...work, maxOutputTokens: 8000 })).status).toBe(201);
  });

  it("stops at debt and at a freeze, by name", async () => {
    const account = await running.account("5");
    await account.post("/v1/holds", { id: "h", amount: "5" });
    const overrun = await account.post("/v1/holds/h/settle", { amount: "7" });
    expect(overrun.body).toMatchObject({ charged: "7", overrun: "2", available: "0" });
    expect((await account.post("/v1/spend", { id: "s", amount: "1" })).body.error).toMatchObject({
      code: "in_debt",
    });
    await admin("POST", "/v1/grants", { accountId: account.id, amount: "1.5" });
    expect((await account.get("/v1/balance")).body).toMatchObject({
      available: "0",
      owed: "0.5",
      net: "-0.5",
    });
    await admin("POST", "/v1/grants", { accountId: account.id, amount: "10" });
    await admin("POST", `/v1/accounts/${account.id}/freeze`, { reason: "dispute" });
    const frozen = await account.post("/v1/spend", { id: "s", amount: "1" });
    expect([frozen.status, frozen.body.error.code]).toEqual([403, "account_frozen"]);
    const receipt = await account.get(`/v1/receipts/${frozen.body.error.requestId}`);
    expect(receipt.body).toMatchObject({ decision: "deny", reason: "account_frozen", operation: "spend" });
  });

  it("holds for work that costs nothing, as the check has said", async () => {
    const account = await running.account("0");
    const work = { model: "small", inputTokens: 0, maxOutputTokens: 0 };
    expect((await account.post("/v1/check", work)).body).toMatchObject({ allowed: true, amount: "0" });
    const held = await account.post("/v1/holds", { id: "free", ...work });
    expect([held.status, held.body.amount]).toEqual([201, "0"]);
    const usage = { model: "small", inputTokens: 0, outputTokens: 0 };
    const settled = await account.post("/v1/holds/free/settle", { usage });
    expect(settled.body).toMatchObject({ charged: "0", available: "0" });
  });

  it("tells the prices that come, also those put before the ones in force, and which charge at an instant", async () => {
    const book = { ...PRICES, credits: SANDBOX_SALES };
    const year = new Date(running.clock.time / 1000 + 365 * 86_400_000);
    const validFrom = year.toISOString();
    const scheduled = (await admin("POST", "/v1/price-book", { book, validFrom })).body.version;
    const now = (await admin("POST", "/v1/price-book", { book })).body.version;
    const told = async (at: string) => {
      const { body } = await admin("GET", `/v1/price-book?at=${at}`);
      const upcoming = body.upcoming?.map(({ version }: { version: number }) => version);
      return body.error?.code ?? [body.current.version, upcoming];
    };
    expect(await told(new Date(running.clock.time / 1000).toISOString())).toEqual([now, [scheduled]]);
    expect(await told(new Date(year.getTime() - 1).toISOString())).toEqual([now, [scheduled]]);
    expect(await told(validFrom)).toEqual([scheduled, []]);
    expect(await told("2001-01-01T00:00:00Z")).toBe("not_found");
  });

  it("charges tokens at the version of the price book in force, and a repetition at the first", async () => {
    const account = await running.account();
    const spend = {
      id: "priced",
      usage: { model: "small", inputTokens: 1000, cachedInputTokens: 400, outputTokens: 100 },
    };
    const first = await account.post("/v1/spend", spend);
    expect(first.body.charged).toBe("0.13");
    const book = {
      models: { small: { inputPerMillion: "999", outputPerMillion: "999" } },
      marginPercent: "10",
    };
    const { body } = await admin("POST", "/v1/price-book", { book });
    running.clock.time = (running.clock.time + 2_000_000) as typeof running.clock.time;
    expect((await account.post("/v1/spend", spend)).body).toEqual(first.body);
    const later = await account.post("/v1/spend", { ...spend, id: "priced-later" });
    expect(later.body.charged).toBe("1.20879");
    const receipt = await account.get("/v1/receipts/priced-later");
    expect(receipt.body.price).toMatchObject({
      version: body.version,
      marginPercent: "10",
      inputPerMillion: "999",
    });
  });
});

describe("bad input", () => {
  const DEEP = "[".repeat(5000) + "]".repeat(5000);
  const batchWith = (metadata: string) =>
    `{"operations":[{"op":"spend","id":"x","amount":"1"},{"op":"spend","id":"y","amount":"1","metadata":${metadata}}]}`;
  const usageOf = (model: string) => ({ id: "x", usage: { model, inputTokens: 1, outputTokens: 1 } });
  it.each<[string, string, unknown, number, string | null]>([
    ["a negative amount", "/v1/spend", { id: "x", amount: "-1" }, 422, "amount"],
    ["zero", "/v1/spend", { id: "x", amount: "0" }, 422, "amount"],
    ["a zero hold", "/v1/holds", { id: "x", amount: "0" }, 422, "amount"],
    ["a huge amount", "/v1/spend", { id: "x", amount: "99999999999999" }, 422, "amount"],
    ["7 decimals", "/v1/spend", { id: "x", amount: "1.0000001" }, 422, "amount"],
    ["NaN", "/v1/spend", { id: "x", amount: "NaN" }, 422, "amount"],
    ["a number", "/v1/spend", { id: "x", amount: 1 }, 422, "amount"],
    ["exponents", "/v1/spend", { id: "x", amount: "1e3" }, 422, "amount"],
    ["no cost", "/v1/spend", { id: "x" }, 422, "amount"],
    [
      "two costs",
      "/v1/spend",
      { id: "x", amount: "1", usage: { model: "small", inputTokens: 1, outputTokens: 1 } },
      422,
      "amount",
    ],
    [
      "more cached than input",
      "/v1/spend",
      { id: "x", usage: { model: "small", inputTokens: 1, cachedInputTokens: 2, outputTokens: 1 } },
      422,
      "usage.cachedInputTokens",
    ],
    [
      "fractional tokens",
      "/v1/holds",
      { id: "x", model: "small", inputTokens: 1.5, maxOutputTokens: 1 },
      422,
      "inputTokens",
    ],
    [
      "an unknown model",
      "/v1/holds",
      { id: "x", model: "nope", inputTokens: 1, maxOutputTokens: 1 },
      404,
      "model",
    ],
    [
      "a model named like a prototype",
      "/v1/holds",
      { id: "x", model: "__proto__", inputTokens: 1, maxOutputTokens: 1 },
      404,
      "model",
    ],
    ["an unknown field", "/v1/spend", { id: "x", amount: "1", amont: "2" }, 422, "amont"],
    ["an id with spaces", "/v1/spend", { id: "a b", amount: "1" }, 422, "id"],
    ["a long id", "/v1/spend", { id: "x".repeat(200), amount: "1" }, 422, "id"],
    [
      "much metadata",
      "/v1/spend",
      { id: "x", amount: "1", metadata: { a: "x".repeat(5000) } },
      422,
      "metadata",
    ],
    ["a list for a body", "/v1/spend", [], 422, null],
    ["no body", "/v1/spend", undefined, 422, null],
    ["broken JSON", "/v1/spend", "{", 400, null],
    ["deep JSON", "/v1/spend", DEEP, 400, null],
    ["deep metadata", "/v1/spend", `{"id":"x","amount":"1","metadata":{"a":${DEEP}}}`, 400, null],
    ["deep metadata in a batch", "/v1/batch", batchWith(`{"a":${DEEP}}`), 400, null],
    ["a model with NUL", "/v1/spend", usageOf("a\u0000b"), 422, "usage.model"],
    ["too much", "/v1/spend", { id: "x", amount: "1", metadata: { a: "x".repeat(2_000_000) } }, 413, null],
    ["an unknown hold", "/v1/holds/none/settle", { amount: "1" }, 404, "id"],
    ["an unknown parent", "/v1/holds", { id: "x", amount: "1", parentId: "none" }, 404, "id"],
    ["a bad time to live", "/v1/holds", { id: "x", amount: "1", ttlSeconds: 0 }, 422, "ttlSeconds"],
    ["an empty batch", "/v1/batch", { operations: [] }, 422, "operations"],
  ])("is refused by name and leaves no entry: %s", async (_, path, body, status, param) => {
    const account = await running.account();
    const before = await account.entryCount();
    const answer = await account.post(path, body);
    expect([answer.status, answer.body.error.param]).toEqual([status, param]);
    expect(answer.body.error.message.length).toBeGreaterThan(5);
    expect(await account.entryCount()).toBe(before);
  });

  it("is refused in queries and paths too", async () => {
    const account = await running.account();
    for (const [path, most] of LISTINGS)
      for (const limit of ["0", String(most + 1), "1.5", "many"]) {
        const { error } = (await running.call(running.adminKey, "GET", `${path}?limit=${limit}`)).body;
        expect([path, error.param, error.message]).toEqual([
          path,
          "limit",
          `limit: must be a whole number from 1 to ${most}`,
        ]);
      }
    expect((await account.get("/v1/entries?cursor=x")).body.error.param).toBe("cursor");
    for (const [path] of LISTINGS)
      for (const cursor of ["1~%00", "before:1:%00", "%00"]) {
        const { status, body } = await admin("GET", `${path}?cursor=${cursor}`);
        expect([path, cursor, status, body.error?.param]).toEqual([path, cursor, 422, "cursor"]);
      }
    const reference = await admin("POST", "/v1/grants", {
      accountId: account.id,
      amount: "1",
      reference: "a\u0000",
    });
    expect([reference.status, reference.body.error.param]).toEqual([422, "reference"]);
    expect((await account.get("/v1/usage?from=yesterday")).body.error.param).toBe("from");
    expect((await account.get("/v1/receipts/nothing-here")).body.error.code).toBe("receipt_unknown");
    expect((await account.get("/v1/nothing")).body.error.code).toBe("not_found");
    for (const path of ["balance", "entries", "usage", "runs", "keys", "payments", "notices"]) {
      const { status, body } = await admin("GET", `/v1/${path}?accountId=nobody`);
      expect([path, status, body.error?.code]).toEqual([path, 404, "account_unknown"]);
    }
    expect((await admin("POST", "/v1/spend", { accountId: "nobody", amount: "1" })).status).toBe(404);
    const past = await admin("POST", "/v1/grants", {
      accountId: account.id,
      amount: "1",
      expiresAt: "2020-01-01T00:00:00Z",
    });
    expect([past.status, past.body.error.param]).toEqual([422, "expiresAt"]);
  });

  it("is refused by the field where an instant is too far away to be kept to the microsecond", async () => {
    const account = await running.account();
    const facts = { accountId: account.id, amount: "1" };
    for (const far of ["2300-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-14:00"]) {
      for (const path of ["/v1/grants", "/v1/keys"]) {
        const { status, body } = await admin(
          "POST",
          path,
          path === "/v1/keys" ? { accountId: account.id, expiresAt: far } : { ...facts, expiresAt: far },
        );
        expect([path, far, status, body.error?.param]).toEqual([path, far, 422, "expiresAt"]);
      }
      const usage = await account.get(`/v1/usage?to=${far}`);
      expect([far, usage.status, usage.body.error?.param]).toEqual([far, 422, "to"]);
      const invoices = await account.get(`/v1/invoices?cursor=${far}%20x`);
      expect([far, invoices.status, invoices.body.error?.param]).toEqual([far, 422, "cursor"]);
    }
    const last = await admin("POST", "/v1/grants", { ...facts, expiresAt: "2254-12-31T23:59:59.999999Z" });
    expect([last.status, last.body.expiresAt]).toEqual([201, "2254-12-31T23:59:59.999999Z"]);
  });

  it("is refused where a query holds what Postgres cannot store", async () => {
    const asks = [
      "/v1/accounts?cursor=%00",
      "/v1/payments?cursor=1~%00",
      "/v1/invoices?cursor=2027-01-01T00:00:00Z%20%00",
      "/v1/admin/actions?operation=a%00b",
    ];
    const { id } = await running.account();
    for (const path of asks) {
      const { status, body } = await admin("GET", `${path}&accountId=${id}`);
      expect([path, status, body.error.code]).toEqual([path, 422, "invalid_request"]);
    }
  });

  it("of any shape never gets a 500", async () => {
    const account = await running.account();
    const paths = [
      "/v1/spend",
      "/v1/holds",
      "/v1/check",
      "/v1/batch",
      "/v1/holds/x/settle",
      "/v1/holds/x/extend",
    ];
    const field = fc.constantFrom(
      "id",
      "amount",
      "usage",
      "model",
      "operations",
      "op",
      "metadata",
      "feature",
      "accountId",
      "ttlSeconds",
      "inputTokens",
      "maxOutputTokens",
    );
    const body = fc.oneof(
      fc.jsonValue(),
      fc.dictionary(
        field,
        fc.oneof(fc.jsonValue(), fc.string(), fc.constant("1"), fc.constant("small"), fc.constant(5)),
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), body, async (path, value) => {
        expect((await account.post(path, value)).status).toBeLessThan(500);
      }),
      { numRuns: 300 },
    );
  });
});

describe("history", () => {
  it("counts what was charged this moment, also while time stands still", async () => {
    const account = await running.account();
    const usage = { model: "small", inputTokens: 10_000, outputTokens: 0 };
    const { charged } = (await account.post("/v1/spend", { usage })).body;
    const { body } = await account.get("/v1/usage");
    expect(body.total).toMatchObject({ amount: charged, requests: 1 });
  });

  it("is read page by page, each entry once, while others write", async () => {
    const account = await running.account();
    for (let index = 0; index < 25; index += 1)
      await account.post("/v1/spend", { id: `p${index}`, amount: "1" });
    const seen: number[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const page = await account.get(`/v1/entries?limit=7${cursor === "" ? "" : `&cursor=${cursor}`}`);
      seen.push(...page.body.entries.map((entry: { seq: number }) => entry.seq));
      cursor = page.body.nextCursor;
      await account.post("/v1/spend", { amount: "0.01" });
    }
    expect(seen).toEqual(Array.from({ length: 26 }, (_, index) => 26 - index));
  });
});

describe("readiness", () => {
  it("tells the database, the migrations and the prices", async () => {
    expect((await running.call(null, "GET", "/health")).body).toMatchObject({ status: "ok" });
    const { status, body } = await running.call(null, "GET", "/ready");
    expect([status, body.checks]).toEqual([
      200,
      { database: true, migrations: true, lanes: true, prices: true },
    ]);
    const metrics = await (await fetch(`${running.url}/metrics`)).text();
    expect(metrics).toContain("bursar_accounts_out_of_balance 0");
  });
});
