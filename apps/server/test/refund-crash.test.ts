/** A refund as a state machine: a process dies at every step of it. Then the same refund is asked for again under its
 *  id, as whoever got no answer does. */
import type { PaymentId } from "@bursar/contract/ids";
import { carryOnRefunds, refundPayment, refundUnused } from "@bursar/engine/payment/refund";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectBalanced } from "./balanced.ts";
import {
  type Account,
  type CrashingWorld,
  EVERY_WEBHOOK,
  expectToSurvive,
  type Fault,
  isLong,
  LOOK,
  type Mortal,
  orOutage,
  type Story,
  SWEEP_MILLISECONDS,
  startCrashingWorld,
  toTell,
} from "./crashing.ts";

let world: CrashingWorld;
beforeAll(async () => {
  world = await startCrashingWorld();
});
afterAll(() => world.close());

interface Way {
  readonly name: string;
  /** It goes the way of another one: told in the long run only. */
  readonly isLike?: true;
  readonly token?: string;
  /** Of the 1,000 credits, before anything is paid back. */
  readonly spent?: number;
  /** In cents; absent: all. */
  readonly amount?: number;
  /** As its owner, who gives back what is unused. */
  readonly isUnused?: true;
  /** In cents, at the end. */
  readonly refunded: number;
  readonly balance: readonly [available: string, held: string, owed: string];
}

const ALL: Way = { name: "of all", refunded: 200, balance: ["50", "0", "0"] };
const UNUSED: Way = {
  name: "of unused credits",
  isUnused: true,
  spent: 350,
  refunded: 140,
  balance: ["0", "0", "0"],
};

const WAYS: readonly Way[] = [
  ALL,
  { name: "of a part", isLike: true, amount: 50, refunded: 50, balance: ["800", "0", "0"] },
  { name: "of credits that are spent", spent: 800, refunded: 200, balance: ["0", "0", "750"] },
  UNUSED,
  {
    name: "that comes later",
    isLike: true,
    token: "pm_card_pendingRefund",
    refunded: 200,
    balance: ["50", "0", "0"],
  },
  { name: "that the bank sends back", token: "pm_card_refundFail", refunded: 0, balance: ["1050", "0", "0"] },
];

const paymentOf = (account: Account) => `pay-${account.id}` as PaymentId;

async function ask(account: Account, { deps }: Mortal, { isUnused, amount }: Way): Promise<void> {
  const facts = { accountId: account.id, paymentId: paymentOf(account), id: "once", by: "test" };
  if (isUnused === true) await refundUnused(deps, facts);
  else await refundPayment(deps, { ...facts, amount, reason: "test" });
}

/** The same by the API, as often as there is no answer. */
async function askAgain(account: Account, { isUnused, amount }: Way): Promise<void> {
  const path = `/v1/payments/${paymentOf(account)}/refund${isUnused === true ? "-unused" : ""}`;
  const body = { accountId: account.id, id: "once", ...(isUnused ? {} : { amount, reason: "test" }) };
  for (let tries = 0; tries < 2; tries++) if ((await world.admin("POST", path, body)).status === 200) return;
}

function story(way: Way): Story {
  const { token, spent = 0, refunded, balance } = way;
  return {
    prepare: async () => {
      const account = await world.account("50", token);
      const order = { id: paymentOf(account), pack: "credits-1000", currency: "eur" };
      await account.post("/v1/purchases", order);
      await world.settle();
      if (spent > 0) await account.post("/v1/spend", { id: "work", amount: String(spent) });
      return account;
    },
    live: async (account, process) => {
      await orOutage(ask(account, process, way));
      await process.later(1);
      await carryOnRefunds(process.deps);
      await process.later(LOOK);
    },
    heal: async (account) => {
      await world.advance(LOOK);
      await askAgain(account, way);
      await world.advance(LOOK);
      await askAgain(account, way);
    },
    check: async (account) => {
      expect(await expectBalanced(world, account, 50 - spent)).toEqual([200]);
      expect(await account.balance()).toEqual(balance);
      const { body } = await account.get(`/v1/payments/${paymentOf(account)}`);
      const told = (await account.notices()).filter((kind) => kind === "refund");
      expect([body.refunded, body.refunds.length]).toEqual([refunded, told.length]);
      // One that had failed before anybody saw it has changed nothing.
      expect(told.length).toBeGreaterThanOrEqual(refunded === 0 ? 0 : 1);
      expect(told.length).toBeLessThanOrEqual(1);
    },
  };
}

describe("a process that dies anywhere on the way of a refund", () => {
  it.each(toTell(WAYS))(
    "$name: paid back once, and exactly its credits are taken",
    (way) => expectToSurvive(world, story(way)),
    SWEEP_MILLISECONDS,
  );
});

const REFUND = "POST /v1/refunds";

const FAULTS: readonly (readonly [string, Way, readonly Fault[]])[] = [
  ["Stripe answers 500 after it", ALL, [{ kind: "server_error", on: REFUND }]],
  ["Stripe answers 500 after it, for ever", UNUSED, [{ kind: "server_error", saved: true, on: REFUND }]],
  ["webhooks are lost", UNUSED, [{ kind: "lose_webhook", ...EVERY_WEBHOOK }]],
];

const MORE_FAULTS: typeof FAULTS = [
  ["no answer comes", ALL, [{ kind: "timeout", on: REFUND }]],
  ["Stripe answers 500 before it", UNUSED, [{ kind: "server_error", when: "before", on: REFUND }]],
  ["webhooks come twice", ALL, [{ kind: "duplicate_webhook", ...EVERY_WEBHOOK }]],
  ["webhooks come in the wrong order", UNUSED, [{ kind: "reorder_webhooks", ...EVERY_WEBHOOK }]],
];

describe("a process that dies anywhere on the way of a refund while", () => {
  it.each(isLong ? [...FAULTS, ...MORE_FAULTS] : FAULTS)(
    "%s: paid back once, and exactly its credits are taken",
    (_, way, faults) => expectToSurvive(world, story(way), faults),
    SWEEP_MILLISECONDS,
  );
});
