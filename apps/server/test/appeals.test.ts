/** Disputes that are taken up again after they were decided. */
import type { HoldId } from "@bursar/contract/ids";
import { addSeconds } from "@bursar/contract/instant";
import { credits } from "@bursar/contract/money";
import { applyDisputes } from "@bursar/engine/payment/disputes";
import { disputeHoldOf, freezeGrant } from "@bursar/engine/payment/freeze";
import { applyRefunds } from "@bursar/engine/payment/refunds";
import { findPayment } from "@bursar/engine/payment/store";
import { readDisputes } from "@bursar/engine/payment/store-refunds";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PayingWorld, startPayingWorld } from "./paying-world.ts";

let world: PayingWorld;
beforeAll(async () => {
  world = await startPayingWorld();
});
afterAll(() => world.close());

type Account = Awaited<ReturnType<PayingWorld["account"]>>;

/** 1,000 credits for EUR 2.00, disputed. */
async function disputed(spent = "0") {
  const account = await world.account();
  await account.post("/v1/purchases", { id: `pay-${account.id}`, pack: "credits-1000", currency: "eur" });
  if (spent !== "0") await account.post("/v1/spend", { id: "before", amount: spent });
  const [intent] = await account.intents();
  const { id } = world.stripe.openDispute(intent!.id);
  await world.settle();
  /** What the bank does, one after the other, each with its webhooks. */
  const bank = async (...steps: readonly ("won" | "lost" | "appeal")[]) => {
    for (const step of steps) {
      if (step === "appeal") world.stripe.appealDispute(id);
      else world.stripe.closeDispute(id, step);
      await world.settle();
    }
  };
  return { account, bank, intentId: intent!.id, disputeId: id };
}

async function hearAllAgain(): Promise<void> {
  for (const { id } of (await world.sdk.events.list({ limit: 100 })).data) world.stripe.resend(id);
  await world.settle();
}

const policy = async (account: Account) => (await account.get("/v1/topup-policy")).body;

it("what was frozen at the moment in which a dispute was won, by a process that has died since, is free again", async () => {
  const { account, bank, disputeId } = await disputed();
  await bank("won");
  const [grant] = (await account.get("/v1/balance")).body.grants;
  await world.engine.ledger.submit({
    ...{ kind: "hold", id: `hold_dispute_${disputeId}:999` as HoldId, accountId: account.id },
    ...{ grantId: grant.id, amount: credits("1000"), expiresAt: null, by: "system:payments" },
  });
  expect(await account.balance()).toEqual(["0", "1000", "0"]);
  await world.settle();
  expect(await account.balance()).toEqual(["1000", "0", "0"]);
});

it("so it is where that is the first of it that was frozen, because work had held all until then", async () => {
  const account = await world.account();
  await account.post("/v1/purchases", { id: `pay-${account.id}`, pack: "credits-1000", currency: "eur" });
  await account.post("/v1/holds", { id: "work", amount: "1000" });
  const [intent] = await account.intents();
  const { id } = world.stripe.openDispute(intent!.id);
  await world.settle();
  world.stripe.closeDispute(id, "won");
  await world.settle();
  await account.post("/v1/holds/work/release", {});
  const payment = (await findPayment(world.engine.pool, { intentId: intent!.id, checkoutId: null }))!;
  const facts = { accountId: account.id, grantId: payment.grantId, id: disputeHoldOf(id) };
  await freezeGrant(world.engine, { ...facts, amount: credits("1000"), asked: `dispute ${id}` });
  expect(await account.balance()).toEqual(["0", "1000", "0"]);
  await world.settle();
  expect(await account.balance()).toEqual(["1000", "0", "0"]);
});

it("so it is where a dispute about a part was lost", async () => {
  const account = await world.account();
  await account.post("/v1/purchases", { id: `pay-${account.id}`, pack: "credits-1000", currency: "eur" });
  const [intent] = await account.intents();
  const payment = (await findPayment(world.engine.pool, { intentId: intent!.id, checkoutId: null }))!;
  const id = `dp_${account.id}`;
  for (const state of ["open", "lost"] as const) {
    const seen = await readDisputes(world.engine.pool, payment);
    expect(await applyDisputes(world.paying, payment, [{ id, amount: 100, state }], seen)).toBe(true);
  }
  const facts = { accountId: account.id, grantId: payment.grantId, id: disputeHoldOf(id) };
  await freezeGrant(world.engine, { ...facts, amount: credits("500"), asked: `dispute ${id}` });
  expect(await account.balance()).toEqual(["0", "500", "0"]);
  await world.settle();
  expect(await account.balance()).toEqual(["500", "0", "0"]);
});

describe("a dispute that was lost", () => {
  it("and is won on appeal gives back what was taken, once, and what was spent is owed no more", async () => {
    const { account, bank } = await disputed("400");
    await bank("lost");
    expect(await account.balance()).toEqual(["0", "0", "400"]);
    await bank("appeal");
    expect(await account.balance()).toEqual(["0", "0", "400"]);
    await bank("won");
    expect(await account.balance()).toEqual(["600", "0", "0"]);
    await hearAllAgain();
    expect(await account.balance()).toEqual(["600", "0", "0"]);
    const closed = (await account.get("/v1/notices")).body.notices.filter(
      ({ kind }: { kind: string }) => kind === "dispute_closed",
    );
    expect(closed.map(({ text }: { text: string }) => text)).toEqual([
      expect.stringContaining("are yours again"),
      expect.stringContaining("was charged back"),
    ]);
    await world.verify();
  });

  it("leaves auto top-up off, also won on appeal; and while that is open, what was taken is frozen no more", async () => {
    const { account, bank } = await disputed();
    await account.policy({ threshold: "100", target: "2000" });
    await bank("lost", "appeal");
    expect(await policy(account)).toMatchObject({ disabledReason: "dispute_lost", suspended: false });
    expect((await account.get(`/v1/payments/pay-${account.id}`)).body.disputed).toBe(false);
    await bank("lost");
    expect(await account.balance()).toEqual(["0", "0", "0"]);
    await bank("appeal", "won");
    await world.advance(60);
    expect(await policy(account)).toMatchObject({ enabled: false, suspended: false });
    expect(await account.balance()).toEqual(["1000", "0", "0"]);
    expect(await account.attempts()).toEqual([]);
  });

  it("gives back after a crash between its noting and its giving", async () => {
    const { account, bank } = await disputed();
    await bank("lost");
    await world.engine.pool.query("update payment_disputes set state = 'won' where account_id = $1", [
      account.id,
    ]);
    await bank("appeal", "won");
    expect(await account.balance()).toEqual(["1000", "0", "0"]);
    await world.verify();
  });
});

describe("a dispute that was won", () => {
  it("and is taken up again freezes what is left, also what work gives back, and top-ups, until it is decided", async () => {
    const { account, bank } = await disputed();
    await account.policy({ threshold: "100", target: "2000", cooldownSeconds: 0 });
    await bank("won");
    await account.post("/v1/holds", { id: "work", amount: "300" });
    await bank("appeal");
    expect(await account.balance()).toEqual(["0", "1000", "0"]);
    await account.post("/v1/holds/work/settle", { amount: "100" });
    await world.settle();
    expect(await account.balance()).toEqual(["0", "900", "0"]);
    await world.advance(60);
    expect(await policy(account)).toMatchObject({ enabled: true, suspended: true });
    await bank("won");
    expect(await account.balance()).toEqual(["900", "0", "0"]);
    expect(await policy(account)).toMatchObject({ enabled: true, suspended: false });
    expect(await account.attempts()).toEqual([]);
    await world.verify();
  });

  it("on appeal is frozen and lost like any other, as often as banks like", async () => {
    const { account, bank } = await disputed();
    await bank("lost", "appeal", "won");
    expect((await account.post("/v1/holds", { id: "work", amount: "300" })).status).toBe(201);
    await bank("appeal");
    await account.post("/v1/holds/work/release");
    await world.settle();
    expect(await account.balance()).toEqual(["0", "1000", "0"]);
    await bank("lost");
    expect(await account.balance()).toEqual(["0", "0", "0"]);
    await bank("appeal", "won", "appeal", "won", "appeal", "lost", "appeal", "won");
    expect(await account.balance()).toEqual(["1000", "0", "0"]);
    await hearAllAgain();
    expect(await account.balance()).toEqual(["1000", "0", "0"]);
    await world.verify();
  });
});

it("a refund while a dispute is open takes what is frozen, and neither other credits nor debt", async () => {
  const { account, intentId, disputeId } = await disputed("100");
  const others = { accountId: account.id, id: "grant_own", amount: "300", source: "promo", expiresAt: null };
  expect((await world.admin("POST", "/v1/grants", others)).status).toBe(201);
  expect(await account.balance()).toEqual(["300", "900", "0"]);
  const payment = (await findPayment(world.engine.pool, { intentId, checkoutId: null }))!;
  const hear = async (amount: number, id: string) => {
    const refund = { id, amount, hasFailed: false, requestId: null, by: null, reason: null };
    // As a bank allows while it only inquires.
    await applyRefunds(world.paying, payment, [refund]);
    const seen = await readDisputes(world.engine.pool, payment);
    await applyDisputes(world.paying, payment, [{ id: disputeId, amount: 200, state: "open" }], seen);
    await applyRefunds(world.paying, payment, [refund]);
  };
  await hear(100, "re_a");
  expect(await account.balance()).toEqual(["300", "400", "0"]);
  await hear(80, "re_b");
  expect(await account.balance()).toEqual(["300", "0", "0"]);
  await world.verify();
});

it("what a refund takes of what is frozen can be spent at no moment, however slowly it is found", async () => {
  const { account, bank, intentId, disputeId } = await disputed();
  await bank("won", "appeal");
  const payment = (await findPayment(world.engine.pool, { intentId, checkoutId: null }))!;
  const [asked, gone] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const slow = Object.create(world.engine.pool, {
    query: {
      value: async (text: string, values: unknown[]) => {
        if (values?.[1] === `hold_dispute_${disputeId}`) {
          asked.resolve();
          await gone.promise;
        }
        return world.engine.pool.query(text, values);
      },
    },
  });
  const refund = { id: "re_slow", amount: 200, hasFailed: false, requestId: null, by: null, reason: null };
  const applied = applyRefunds({ ...world.paying, pool: slow }, payment, [refund]);
  await asked.promise;
  for (const id of ["between", "then", "later"])
    expect((await account.post("/v1/spend", { id, amount: "100" })).status).toBe(402);
  gone.resolve();
  await applied;
  expect(await account.balance()).toEqual(["0", "0", "0"]);
});

it("what comes again while a dispute is open, of a refund that failed, is frozen beside the rest", async () => {
  const { account, intentId, disputeId } = await disputed();
  const payment = (await findPayment(world.engine.pool, { intentId, checkoutId: null }))!;
  const hear = async (id: string, hasFailed: boolean) => {
    const refund = { id, amount: 100, hasFailed, requestId: null, by: null, reason: null };
    await applyRefunds(world.paying, payment, [refund]);
    const seen = await readDisputes(world.engine.pool, payment);
    await applyDisputes(world.paying, payment, [{ id: disputeId, amount: 200, state: "open" }], seen);
  };
  await hear("re_a", false);
  expect(await account.balance()).toEqual(["0", "500", "0"]);
  await hear("re_a", true);
  expect(await account.balance()).toEqual(["0", "1000", "0"]);
  await hear("re_b", false);
  expect(await account.balance()).toEqual(["0", "500", "0"]);
  await world.verify();
});

it("what was read of a dispute before others changed it changes nothing, and is read again", async () => {
  const { account, bank, intentId, disputeId } = await disputed();
  const payment = (await findPayment(world.engine.pool, { intentId, checkoutId: null }))!;
  const rounds = () => readDisputes(world.engine.pool, payment);
  const hear = (state: "open" | "won" | "lost", seen: Awaited<ReturnType<typeof rounds>>) =>
    applyDisputes(world.paying, payment, [{ id: disputeId, amount: 200, state }], seen);
  const opened = await rounds();
  await bank("won");
  const won = await rounds();
  for (const state of ["open", "lost"] as const) expect(await hear(state, opened)).toBe(false);
  expect(await hear("won", opened)).toBe(true);
  expect(await account.balance()).toEqual(["1000", "0", "0"]);
  await bank("appeal");
  expect(await hear("won", won)).toBe(false);
  expect(await account.balance()).toEqual(["0", "1000", "0"]);
  await bank("lost");
  const lost = await rounds();
  await bank("appeal", "won");
  expect(await hear("lost", lost)).toBe(false);
  expect(await hear("open", lost)).toBe(false);
  world.clock.time = addSeconds(world.clock.now(), 3600);
  await world.settle();
  expect(await account.balance()).toEqual(["1000", "0", "0"]);
  expect(await rounds()).toMatchObject([{ state: "won" }, { state: "won" }]);
  await world.verify();
});
