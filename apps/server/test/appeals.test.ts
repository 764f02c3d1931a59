/** Disputes that are taken up again after they were decided. */
import type { HoldId } from "@bursar/contract/ids";
import { addSeconds } from "@bursar/contract/instant";
import { credits } from "@bursar/contract/money";
import { applyDisputes } from "@bursar/engine/payment/disputes";
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
