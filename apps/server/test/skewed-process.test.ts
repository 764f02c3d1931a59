/** Processes on one database, of which one is on a machine whose clock is wrong. */
import { createHmac } from "node:crypto";
import { createTestDatabase, type TestDatabase } from "@bursar/database/testing";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { ADMIN_KEY, openProcesses, type Process } from "./processes.ts";
import { PRICES } from "./running.ts";

const HOUR_SECONDS = 3600;
const WEBHOOK_SECRET = "whsec_of_this_test_0123456789";

let database: TestDatabase;
const opened: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(async () => {
  for (const processes of opened) await processes.close();
  await database.drop();
});

/** A server whose machine's clock is so far ahead. */
async function start(secondsAhead: number) {
  const wrong = `const now = Date.now; Date.now = () => now() + ${secondsAhead * 1000};`;
  const processes = await openProcesses(database.url, {
    BURSAR_URL: "https://bursar.example.com",
    STRIPE_SECRET_KEY: "sk_live_of_this_test_0123456789",
    STRIPE_WEBHOOK_SECRET: WEBHOOK_SECRET,
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(wrong)}`,
  });
  opened.push(processes);
  return processes.start();
}

it("a machine's clock that is an hour ahead ends neither credits nor holds before their time", {
  timeout: 60_000,
}, async () => {
  const right = await start(0);
  const admin = async (path: string, body: object) => {
    const { status } = await right.call(ADMIN_KEY, "POST", path, body);
    // Again, where it was done and its answer was lost.
    expect([200, 201]).toContain(status);
  };
  const accountId = "acct_1";
  const expiresAt = new Date(Date.now() + (HOUR_SECONDS / 2) * 1000).toISOString();
  await admin("/v1/price-book", { book: PRICES });
  await admin("/v1/accounts", { id: accountId, name: "One" });
  await admin("/v1/grants", { accountId, id: "grant_right", amount: "100", source: "promo", expiresAt });
  await admin("/v1/holds", { accountId, id: "hold_right", amount: "40", ttlSeconds: 600 });
  const wrong = await start(HOUR_SECONDS);
  // Its background has been at work when what was due by the true time is done.
  await admin("/v1/holds", { accountId, id: "hold_due", amount: "10", ttlSeconds: 1 });
  right.child.kill("SIGKILL");
  await right.exit;
  const balance = async () => (await wrong.call(ADMIN_KEY, "GET", `/v1/balance?accountId=${accountId}`)).body;
  // A busy server may say first that it is too slow.
  await vi.waitFor(async () => expect((await balance()).held).toMatch(/^(40|0)$/), {
    timeout: 30_000,
    interval: 50,
  });
  await expect.poll(balance).toMatchObject({ available: "60", held: "40" });
  const asked = { accountId, id: "hold_wrong", amount: "1", ttlSeconds: 600 };
  const made = await wrong.call(ADMIN_KEY, "POST", "/v1/holds", asked);
  expect(Math.abs(Date.parse(made.body.expiresAt) - Date.now() - 600_000)).toBeLessThan(10_000);
  expect(await webhookTo(wrong, Date.now())).toBe(200);
  expect(await webhookTo(wrong, Date.now() - HOUR_SECONDS * 1000)).toBe(400);
});

async function webhookTo({ url }: Process, signedAt: number): Promise<number> {
  const body = JSON.stringify({ id: "evt_1", object: "event", type: "unknown.type", created: 1, data: {} });
  const time = Math.floor(signedAt / 1000);
  const v1 = createHmac("sha256", WEBHOOK_SECRET).update(`${time}.${body}`).digest("hex");
  const headers = { "stripe-signature": `t=${time},v1=${v1}` };
  return (await fetch(`${url}/api/stripe/webhook`, { method: "POST", body, headers })).status;
}
