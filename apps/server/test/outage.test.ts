import { createTestDatabase, type TestDatabase } from "@bursar/database/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Proxy } from "../../../packages/engine/test/proxy.ts";
import { type Running, startRunning } from "./running.ts";

let database: TestDatabase;
let proxy: Proxy;
let running: Running;
let token: string;
beforeAll(async () => {
  database = await createTestDatabase();
  const cut = await Proxy.before(database.url);
  proxy = cut.proxy;
  running = await startRunning(cut.url, 0, {}, { isHurried: true });
  const password = "correct horse 9";
  await running.identity.people.create({ username: "cut", email: "cut@example.org", password });
  token = (await running.call(null, "POST", "/api/auth/login", { username: "cut", password })).body
    .accessToken;
});
afterAll(async () => {
  await running.close();
  await proxy.close();
  await database.drop();
});

/** Far less than anybody waits without limits of ours, also on a busy machine. */
const SOON_SECONDS = 15;

const SIGN_INS = [
  ["/api/auth/login", { username: "ann", password: "correct horse 9" }],
  ["/api/auth/refresh", { refreshToken: "bsr_unknown" }],
  ["/api/identity/sign-in/username", { username: "ann", password: "correct horse 9" }],
  ["/api/identity/sign-up/email", { name: "Ann", email: "ann@example.org", password: "correct horse 9" }],
  // The library alone asks the database about this.
  ["/api/identity/device/code", { client_id: "bursar-cli" }],
] as const;

const USES = [
  ["/api/credits/deduct", { credits: 1 }],
  ["/api/streaming-sessions/initialize", { sessionId: "s", modelId: "small", estimatedTokens: 10 }],
] as const;

/** Every kind of call, and how long each took to say no. */
async function callAll(account: Awaited<ReturnType<Running["account"]>>, name: string) {
  const timed = async (answer: Promise<{ status: number; body: { error: { code: string } } }>) => {
    const start = performance.now();
    const { status, body } = await answer;
    return { status, code: body.error.code, seconds: (performance.now() - start) / 1000 };
  };
  return Promise.all([
    timed(account.get("/v1/balance")),
    timed(account.post("/v1/check", { amount: "1" })),
    timed(account.post("/v1/spend", { id: `${name}-spend`, amount: "1" })),
    timed(account.post("/v1/holds", { id: `${name}-hold`, amount: "1" })),
    timed(
      account.post("/v1/batch", {
        operations: [
          { op: "spend", id: `${name}-batch`, amount: "1" },
          { op: "hold", id: `${name}-batched`, amount: "1" },
        ],
      }),
    ),
  ]);
}

it.each<[string, () => Promise<void> | void, () => Promise<void> | void]>([
  ["cut-off", () => proxy.close(), () => proxy.open()],
  ["hanging", () => proxy.hang(), () => proxy.resume()],
])(
  "with the database %s every answer is no, soon, and service returns by itself",
  async (name, stop, restart) => {
    const account = await running.account();
    expect((await account.post("/v1/spend", { id: `${name}-before`, amount: "1" })).status).toBe(200);
    await stop();
    for (const answer of await callAll(account, name)) {
      expect([answer.status, answer.code]).toEqual([503, "unavailable"]);
      expect(answer.seconds).toBeLessThan(SOON_SECONDS);
    }
    const ready = await running.call(null, "GET", "/ready");
    expect([ready.status, ready.body.checks.lanes]).toEqual([503, false]);
    const metrics = await fetch(`${running.url}/metrics`);
    expect(metrics.status).toBe(200);
    const told = await metrics.text();
    expect(told).toMatch(/^bursar_database_reachable 0$/m);
    expect(told).toMatch(/^bursar_accounts_out_of_balance Nan$/m);
    expect(told).toMatch(/^process_cpu_seconds_total /m);
    const start = performance.now();
    const checked = await running.call(token, "POST", "/api/credits/check", { credits: 1 });
    expect((performance.now() - start) / 1000).toBeLessThan(SOON_SECONDS);
    expect(checked.status).toBe(503);
    expect(checked.body).toMatchObject({ sufficient: false, hasSufficientCredits: false });
    const calls = [
      ...SIGN_INS.map(([path, body]) => [null, path, body] as const),
      ...USES.map(([path, body]) => [token, path, body] as const),
    ];
    // At the same time: one after the other, they would wait for as long as a test may take.
    const noes = calls.map(async ([key, path, body]) => {
      const asked = performance.now();
      const answer = await running.call(key, "POST", path, body, { "content-type": "application/json" });
      expect([path, answer.status]).toEqual([path, 503]);
      expect((performance.now() - asked) / 1000).toBeLessThan(SOON_SECONDS);
    });
    await Promise.all(noes);
    await restart();
    await expect.poll(async () => (await account.get("/v1/balance")).status).toBe(200);
    const again = await account.post("/v1/spend", { id: `${name}-spend`, amount: "1" });
    expect(again.status).toBe(200);
    expect((await account.get("/v1/balance")).body.available).toBe("98");
    const allowed = await running.call(token, "POST", "/api/credits/check", { credits: 1 });
    expect(allowed.body.sufficient).toBe(false);
    expect(allowed.status).toBe(200);
  },
);
