/** A month of use with a moving clock, seeded; and webhooks in every order and number. */
import { createHmac } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PayingWorld, startPayingWorld } from "./paying-world.ts";

let world: PayingWorld;
beforeAll(async () => {
  world = await startPayingWorld();
});
afterAll(() => world.close());

type Account = Awaited<ReturnType<PayingWorld["account"]>>;

interface Charged {
  readonly amount: number;
  readonly credits: string;
  readonly createdAt: string;
}

const charged = async (account: Account) => ((await account.attempts()) as unknown as Charged[]).toReversed();

function perWindow(charges: readonly Charged[], length: number): number[] {
  const sums = new Map<string, number>();
  for (const { createdAt, amount } of charges) {
    const window = createdAt.slice(0, length);
    sums.set(window, (sums.get(window) ?? 0) + amount);
  }
  return [...sums.values()];
}

const HOUR = 3600;
const DAY = 24 * HOUR;

describe("a month of use", () => {
  it("never exceeds the caps, charges no more often than needed, and is what the preview says", async () => {
    const days = fc.array(fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 900 })), {
      minLength: 25,
      maxLength: 28,
    });
    await fc.assert(
      fc.asyncProperty(days, async (uses) => {
        const account = await world.account("600");
        const policy = { threshold: "500", target: "2000", dailyCap: 400, monthlyCap: 2000 };
        await account.policy(policy);
        let needed = 0n;
        for (const [index, [hours, amount]] of uses.entries()) {
          await world.advance(hours * HOUR);
          const spent = await account.post("/v1/spend", { id: `use-${index}`, amount: String(amount) });
          if (spent.status === 200) needed += BigInt(amount);
          await world.settle();
          // Long enough for the sweep to see what a cooldown or a cap had put off.
          await world.advance(DAY - hours * HOUR);
        }
        const charges = await charged(account);
        for (const sum of perWindow(charges, 10)) expect(sum).toBeLessThanOrEqual(400);
        for (const sum of perWindow(charges, 7)) expect(sum).toBeLessThanOrEqual(2000);
        // Each charge that no cap made smaller fills up from below 500 to 2,000.
        const full = charges.filter(({ amount }) => amount >= 300).length;
        expect(full).toBeLessThanOrEqual(Number(needed / 1500n) + 1);
        const { body } = await account.get("/v1/topup-policy/preview");
        const previewed = body.charges.map(({ amount, credits }: Charged) => [amount, credits]);
        expect(previewed).toEqual(charges.map(({ amount, credits }) => [amount, credits]));
      }),
      { numRuns: 3, endOnFailure: true },
    );
    await world.verify();
  }, 120_000);
});

describe("webhooks", () => {
  const types = ["payment_intent.succeeded", "charge.succeeded", "charge.refunded", "charge.dispute.created"];

  it.each([
    ["twice", types.map((events) => ({ kind: "duplicate_webhook" as const, events, times: 5 }))],
    ["in the wrong order", [{ kind: "reorder_webhooks" as const, events: "*", times: 20 }]],
    [
      "days late",
      types.map((events) => ({ kind: "delay_webhook" as const, events, seconds: 3 * DAY, times: 5 })),
    ],
    ["never, so that they are fetched", [{ kind: "lose_webhook" as const, events: "*", times: 50 }]],
  ])("that come %s lead to the same end", async (_, faults) => {
    const account = await world.account("0");
    for (const fault of faults) world.stripe.faults.add(fault);
    await account.post("/v1/purchases", { id: "one", pack: "credits-1000", currency: "eur" });
    await account.post("/v1/purchases", { id: "two", pack: "credits-1000", currency: "eur" });
    await account.post("/v1/spend", { id: "work", amount: "300" });
    const intents = await intentsOf(account);
    await world.sdk.refunds.create({ payment_intent: intents[0]!, amount: 100 });
    world.stripe.openDispute(intents[1]!);
    await world.settle();
    world.stripe.faults.clear();
    await world.advance(4 * DAY);
    await world.advance(HOUR);
    // Of the first purchase 700 were left: 500 go with the refund. The second waits for the bank.
    expect(await account.balance()).toEqual(["200", "1000", "0"]);
    expect(
      (await account.get("/v1/payments")).body.payments.map(({ state }: { state: string }) => state),
    ).toEqual(["confirmed", "confirmed"]);
    await world.verify();
  });

  it("that come to two servers at once are one effect", async () => {
    const other = await world.another();
    const account = await world.account("0");
    const urls = [`${world.url}/api/stripe/webhook`, `${other.url}/api/stripe/webhook`];
    world.stripe.faults.add({ kind: "concurrent_webhook", events: "*", times: 10, urls });
    await account.post("/v1/purchases", { id: "one", pack: "credits-1000", currency: "eur" });
    await world.settle();
    expect(await account.balance()).toEqual(["1000", "0", "0"]);
    const { rows } = await world.engine.pool.query<{ n: bigint }>(
      "select count(*) as n from entries where account_id = $1 and kind = 'grant'",
      [account.id],
    );
    expect(rows[0]!.n).toBe(1n);
  });

  it("that cannot be processed are parked and shown, others go on, and resending processes them", async () => {
    const { pool } = world.engine;
    const account = await world.account("0");
    await pool.query(
      `insert into payment_events (event_id, type, body, state, created_at, received_at, due_at)
       values ('evt_poison', 'charge.refunded', '{"no": "data"}', 'waiting', now(), to_timestamp($1), to_timestamp($1))`,
      [world.clock.time / 1e6],
    );
    await account.post("/v1/purchases", { id: "one", pack: "credits-1000", currency: "eur" });
    for (let hour = 0; hour < 8; hour++) await world.advance(300);
    expect((await account.get("/v1/payments/one")).body.state).toBe("confirmed");
    const parked = await world.admin("GET", "/v1/events?state=parked");
    expect((await world.admin("GET", "/metrics")).body).toContain('bursar_payment_events{state="parked"} 1');
    expect(parked.body.events).toMatchObject([
      { id: "evt_poison", attempts: 6, lastError: expect.any(String), state: "parked" },
    ]);
    await pool.query(
      `update payment_events set body = '{"data": {"object": {}}}' where event_id = 'evt_poison'`,
    );
    expect((await world.admin("POST", "/v1/events/evt_poison/resend")).body.state).toBe("waiting");
    await world.settle();
    expect((await world.admin("GET", "/v1/events?state=parked")).body.events).toEqual([]);
  });

  it("that are signed, but ten minutes old, are refused as replays", async () => {
    const before = await eventCount();
    const body = JSON.stringify({ id: "evt_old", object: "event", type: "charge.refunded", created: 1 });
    const send = (secondsAgo: number, secret = world.stripe.webhookSecret) => {
      const time = Math.floor(world.clock.time / 1e6) - secondsAgo;
      const v1 = createHmac("sha256", secret).update(`${time}.${body}`).digest("hex");
      const headers = { "stripe-signature": `t=${time},v1=${v1}` };
      return fetch(`${world.url}/api/stripe/webhook`, { method: "POST", headers, body });
    };
    expect((await send(600)).status).toBe(400);
    expect(await eventCount()).toBe(before);
    expect((await send(10)).status).toBe(200);
    expect(await eventCount()).toBe(before + 1n);
    expect((await send(10, "whsec_of_somebody_else")).status).toBe(400);
    expect(await eventCount()).toBe(before + 1n);
  });

  it.each([
    ["unsigned", {}],
    ["signed with another secret", { "stripe-signature": "t=1,v1=abc" }],
  ])("that are %s are refused, and nothing is stored", async (_, headers) => {
    const before = await eventCount();
    const body = JSON.stringify({ id: "evt_forged", object: "event", type: "charge.refunded", created: 1 });
    const response = await fetch(`${world.url}/api/stripe/webhook`, { method: "POST", headers, body });
    const answer = (await response.json()) as { error: { code: string; param: string } };
    expect([response.status, answer.error.code, answer.error.param]).toEqual([
      400,
      "invalid_signature",
      "Stripe-Signature",
    ]);
    expect(await eventCount()).toBe(before);
  });
});

async function eventCount(): Promise<bigint> {
  const { rows } = await world.engine.pool.query<{ n: bigint }>("select count(*) as n from payment_events");
  return rows[0]!.n;
}

async function intentsOf(account: Account): Promise<string[]> {
  const { rows } = await world.engine.pool.query<{ id: string }>(
    "select intent_id as id from payments where account_id = $1 order by payment_id",
    [account.id],
  );
  return rows.map(({ id }) => id);
}
