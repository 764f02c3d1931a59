/** The socket across real server processes. */
import { type SandboxStripe, startSandboxStripe } from "@bursar/sandbox/stripe";
import { afterAll, beforeAll, expect, test } from "vitest";
import { POLICY, SELLING } from "./paying-world.ts";
import { ADMIN_KEY, openProcesses, type Process } from "./processes.ts";
import { type Running, startRunning } from "./running.ts";
import { openPeer } from "./socket-peer.ts";

let running: Running;
let stripe: SandboxStripe;
let processes: Awaited<ReturnType<typeof openProcesses>>;
let [here, there]: Process[] = [];

beforeAll(async () => {
  // A key of the kind that live servers take.
  const secretKey = "sk_live_of_this_test_0123456789";
  [running, stripe] = await Promise.all([
    startRunning(undefined, 0, {}, { startsNow: true }),
    startSandboxStripe({ now: Date.now, secretKey }),
  ]);
  await running.engine.prices.put({ body: SELLING, by: "test" });
  processes = await openProcesses(running.databaseUrl, {
    BURSAR_URL: "https://bursar.example.com",
    STRIPE_SECRET_KEY: stripe.secretKey,
    STRIPE_WEBHOOK_SECRET: stripe.webhookSecret,
    STRIPE_API_URL: stripe.url,
  });
  [here, there] = await Promise.all([processes.start(), processes.start()]);
  stripe.register(`${here.url}/api/stripe/webhook`);
});
afterAll(async () => {
  await processes?.close();
  await stripe.close();
  await running.close();
});

test("a purchase and an auto top-up of one process show on a socket of another, with balance and notice", async () => {
  const { id, key } = await running.account("0");
  const peer = openPeer(there!.url, key);
  await peer.say({ type: "subscribe", topics: ["balance", "payments", "notices"] });
  await peer.push("payments", ({ payments }) => payments.length === 0);
  const ask = (method: string, path: string, body: object) => here!.call(key, method, path, body);
  await ask("POST", "/v1/payment-methods", { paymentMethod: "pm_card_visa" });
  const bought = await ask("POST", "/v1/purchases", { id: "bought", pack: "credits-1000", currency: "eur" });
  expect([200, 201]).toContain(bought.status);
  const isConfirmed = (kind: string) => (data: { payments: { kind: string; state: string }[] }) =>
    data.payments.some((payment) => payment.kind === kind && payment.state === "confirmed");
  const isTold = (kind: string) => (data: { notices: { kind: string }[] }) =>
    data.notices.some((notice) => notice.kind === kind);
  await peer.push("balance", ({ available }) => available === "1000");
  await peer.push("payments", isConfirmed("purchase"));
  await peer.push("notices", isTold("purchase_success"));

  const policy = await here!.call(ADMIN_KEY, "PUT", "/v1/topup-policy", { ...POLICY, accountId: id });
  expect(policy.status).toBe(200);
  expect((await ask("POST", "/v1/spend", { id: "most", amount: "900" })).status).toBe(200);
  // From 100 up to the policy's 2,000.
  await peer.push("balance", ({ available }) => available === "2000");
  await peer.push("payments", isConfirmed("topup"));
  await peer.push("notices", isTold("topup_success"));
  peer.socket.terminate();
});

test("what one process commits shows on a socket of another, which says goodbye when it ends", async () => {
  const { key } = await running.account("100");
  const peer = openPeer(there!.url, key);
  await peer.say({ type: "subscribe", topics: ["balance", "holds"] });
  expect(await peer.push("balance")).toMatchObject({ available: "100" });
  // Not by the test's own server: on the real clocks of these, what its clock stamps has expired.
  expect((await here!.call(key, "POST", "/v1/holds", { id: "h1", amount: "40" })).body.amount).toBe("40");
  await peer.push("balance", (data) => data.available === "60" && data.held === "40");
  await peer.push("holds", ({ holds }) => holds[0]?.id === "h1");
  there!.child.kill("SIGTERM");
  expect(await peer.until(({ data }) => data?.type === "request-reconnect")).toBeTruthy();
  expect(await peer.closed).toMatchObject({ code: 1012 });
  expect(await there!.exit).toBe(0);
});
