import { afterAll, beforeAll, expect, it } from "vitest";
import { bursar } from "../../cli/src/testing/bursar.ts";
import { type Running, startRunning } from "./running.ts";
import { type SandboxWorld, startSandboxWorld } from "./sandbox-world.ts";

let running: Running;
let world: SandboxWorld;
beforeAll(async () => {
  running = await startRunning();
  world = await startSandboxWorld();
});
afterAll(async () => {
  await running.close();
  await world.close();
});

type Account = Awaited<ReturnType<Running["account"]>>;
const patch = (account: Account, body: unknown) =>
  running.call(account.key, "PATCH", "/v1/subscription", body);

it("is not begun, previewed or resumed with a key that was revoked elsewhere a moment ago", async () => {
  const account = await running.account("10");
  await account.post("/v1/spend", { id: "known", amount: "1" });
  await running.engine.pool.query("update api_keys set revoked_at = now() where account_id = $1", [
    account.id,
  ]);
  const request = { id: "late", plan: "orbit", currency: "eur" };
  for (const path of ["", "/preview", "/resume"]) {
    const answer = await account.post(`/v1/subscription${path}`, request);
    expect([path, answer.status, answer.body.error?.code]).toEqual([path, 401, "key_revoked"]);
  }
});

it("begins, is previewed, changed, canceled and resumed, and gives its credits once", async () => {
  const account = await running.account("10");
  expect((await account.get("/v1/subscription")).body).toEqual({ subscription: null });
  const request = { id: "first", plan: "orbit", currency: "eur" };
  const begun = await account.post("/v1/subscription", request);
  expect([begun.status, begun.body.subscription]).toMatchObject([
    201,
    { id: "first", state: "active", plan: { id: "orbit", amount: 999 }, renewsAs: { id: "orbit" } },
  ]);
  const again = await account.post("/v1/subscription", request);
  expect([again.status, again.body]).toEqual([200, begun.body]);
  expect((await account.get("/v1/balance")).body.available).toBe("110");

  const preview = await account.post("/v1/subscription/preview", { plan: "galaxy" });
  expect(preview.body).toMatchObject({
    effective: "now",
    dueNow: 3000,
    currency: "eur",
    creditsNow: "412.60315",
  });
  const changed = await patch(account, { plan: "galaxy" });
  expect(changed.body.subscription).toMatchObject({
    plan: { id: "galaxy" },
    renewsAs: { id: "galaxy", bonus: "50" },
  });
  expect((await patch(account, { plan: "galaxy" })).status).toBe(200);
  const { available } = (await account.get("/v1/balance")).body;
  expect(available).toBe("522.60315");

  const canceled = await running.call(account.key, "DELETE", "/v1/subscription");
  expect(canceled.body.subscription).toMatchObject({
    state: "active",
    cancelAtPeriodEnd: true,
    renewsAs: null,
  });
  const resumed = await account.post("/v1/subscription/resume");
  expect(resumed.body.subscription).toMatchObject({ cancelAtPeriodEnd: false, renewsAs: { id: "galaxy" } });
  expect((await account.get("/v1/balance")).body.available).toBe(available);

  const first = (await account.get("/v1/invoices?limit=1")).body;
  expect(first.invoices).toMatchObject([{ status: "paid", plan: expect.any(String), currency: "eur" }]);
  const rest = await account.get(`/v1/invoices?limit=5&cursor=${encodeURIComponent(first.nextCursor)}`);
  expect([rest.body.invoices.length, rest.body.nextCursor]).toEqual([1, null]);
});

it.each([
  [{ plan: "comet", currency: "eur" }, 404, "plan_unknown", "plan"],
  [{ plan: "orbit", currency: "jpy" }, 422, "invalid_request", "currency"],
  [{ plan: "orbit", currency: "gbp" }, 422, "invalid_request", "currency"],
  [{ plan: "orbit" }, 422, "invalid_request", "currency"],
  [{ currency: "eur" }, 422, "invalid_request", "plan"],
  [{ plan: "orbit", currency: "eur", returnUrl: "ftp://here" }, 422, "invalid_request", "returnUrl"],
  [{ plan: "orbit", currency: "eur", coupon: "free" }, 422, "invalid_request", "coupon"],
])("refuses to begin with %j by the field", async (body, status, code, param) => {
  const account = await running.account("0");
  const answer = await account.post("/v1/subscription", body);
  expect([answer.status, answer.body.error.code, answer.body.error.param]).toEqual([status, code, param]);
  expect((await account.get("/v1/subscription")).body.subscription).toBeNull();
});

it.each(["/v1/subscription", "/v1/subscription/preview"])(
  "refuses an unknown plan, or none, at %s by the field, and says which there are",
  async (path) => {
    const account = await running.account("0");
    await account.post("/v1/subscription", { plan: "orbit", currency: "eur" });
    const method = path.endsWith("preview") ? "POST" : "PATCH";
    const ask = async (body: object) => (await running.call(account.key, method, path, body)).body.error;
    expect(await ask({ plan: "comet" })).toMatchObject({
      code: "plan_unknown",
      param: "plan",
      message: "There is no plan comet; there are: orbit, galaxy, galaxy-year",
    });
    expect(await ask({})).toMatchObject({ code: "invalid_request", param: "plan" });
    expect((await account.get("/v1/subscription")).body.subscription.renewsAs.id).toBe("orbit");
  },
);

it("says why it is refused: none, one already, a declined card, a provider that is silent, none at all", async () => {
  const account = await running.account("0");
  expect((await patch(account, { plan: "orbit" })).body.error.code).toBe("subscription_unknown");
  running.billing.setBroke(account.id, true);
  const declined = await account.post("/v1/subscription", { plan: "orbit", currency: "eur" });
  expect([declined.status, declined.body.error]).toMatchObject([
    402,
    { code: "payment_failed", type: "payment_error", message: "The card was declined" },
  ]);
  running.billing.setBroke(account.id, false);
  running.billing.failNext("after");
  const silent = await account.post("/v1/subscription", { id: "silent", plan: "orbit", currency: "eur" });
  expect([silent.status, silent.body.error.code]).toEqual([503, "payment_unavailable"]);
  const second = await account.post("/v1/subscription", { id: "other", plan: "galaxy", currency: "eur" });
  expect([second.status, second.body.error.code]).toEqual([409, "subscription_exists"]);
  expect(
    (await account.post("/v1/subscription", { id: "silent", plan: "orbit", currency: "eur" })).status,
  ).toBe(200);
  expect((await patch(account, { plan: "galaxy-year" })).body.error.code).toBe("subscription_refused");
  const off = await world.call(world.accountKey, "POST", "/v1/subscription", {
    plan: "orbit",
    currency: "eur",
  });
  expect([off.status, off.body.error.code]).toEqual([409, "payments_off"]);
});

it("is begun, shown and changed by the command", async () => {
  const account = await running.account("0");
  const run = (...args: string[]) =>
    bursar(args, { environment: { BURSAR_URL: running.url, BURSAR_API_KEY: account.key } });
  expect((await run("plans")).stdout).toContain("EUR 39.99, JPY 6000");
  expect((await run("subscription")).stdout).toContain("No subscription.");
  const begun = await run("subscription", "start", "orbit", "--currency", "eur");
  expect([begun.code, begun.stderr]).toEqual([0, ""]);
  expect(begun.stdout).toContain("Orbit: 100 credits a month, EUR 9.99 a month");
  expect((await run("subscription", "preview", "galaxy")).stdout).toContain("at once, for EUR 30.00 now");
  expect((await run("subscription", "cancel")).stdout).toContain("it ends");
  expect((await run("invoices")).stdout).toContain("EUR 9.99");
});
