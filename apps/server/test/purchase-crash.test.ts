/** A purchase as a state machine: a process dies at every step of it, with a saved card and on Stripe's page. Then the
 *  same purchase is asked for again under its id, as whoever got no answer does. */
import type { PaymentId } from "@bursar/contract/ids";
import { purchase } from "@bursar/engine/payment/purchase";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectBalanced } from "./balanced.ts";
import {
  type Account,
  type CrashingWorld,
  DAY,
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
  /** The saved card; null: none, so the purchase leads to a page. */
  readonly token: string | null;
  /** What people do while the process lives, and again after its death. */
  readonly act?: (account: Account, process?: Mortal) => Promise<void>;
  readonly charged: readonly number[];
  readonly available: string;
  readonly state: string;
}

const orderOf = (account: Account) => `order-${account.id}`;
const open = (process: Mortal | undefined) =>
  process?.open ??
  (async (path: string, method: string = "GET") => void (await world.call(null, method, path)));

async function linkOf(account: Account): Promise<string | null> {
  const { rows } = await world.engine.pool.query<{ link: string }>(
    "select link from payments where account_id = $1",
    [account.id],
  );
  return rows[0] === undefined ? null : `/pay/${rows[0].link}`;
}

/** Somebody pays on the page that the purchase leads to, if it does, and comes back. */
const payOnPage = (method: string) => async (account: Account, process?: Mortal) => {
  const { body } = await account.get(`/v1/payments/${orderOf(account)}`);
  const session = /cs_test_\w+/.exec(String(body.url))?.[0];
  if (session === undefined) return;
  if ((await world.sdk.checkout.sessions.retrieve(session)).status === "open")
    world.stripe.payCheckout(session, { method });
  await open(process)(`${await linkOf(account)}/done`);
};

const confirmAtBank = async (account: Account, process?: Mortal) => {
  const link = await linkOf(account);
  if (link === null) return;
  await open(process)(link, "POST");
  const waiting = (await account.intents()).find(({ status }) => status === "requires_action");
  if (waiting !== undefined) world.stripe.authenticate(waiting.id, "approve");
  await open(process)(`${link}/done`);
};

const PROMISED: ReadonlySet<string> = new Set(["succeeded", "processing"]);

const PAID = { charged: [200], available: "1000", state: "confirmed" };
const UNPAID = { charged: [], available: "0" };

const SAVED: Way = { name: "with a saved card", token: "pm_card_visa", ...PAID };
const PAGE: Way = { name: "on a page", token: null, act: payOnPage("pm_card_visa"), ...PAID };

const WAYS: readonly Way[] = [
  SAVED,
  { name: "with a card that is declined", token: "pm_card_chargeCustomerFail", ...UNPAID, state: "failed" },
  {
    name: "with a card whose bank asks",
    token: "pm_card_authenticationRequired",
    act: confirmAtBank,
    ...PAID,
  },
  {
    name: "with a card that fails minutes later",
    token: "pm_sandbox_processingFail",
    ...UNPAID,
    state: expect.stringMatching(/failed|reversed/) as string,
  },
  PAGE,
  {
    name: "on a page, paid minutes later",
    isLike: true,
    token: null,
    act: payOnPage("pm_usBankAccount_success"),
    ...PAID,
  },
  {
    name: "on a page, with a payment that fails minutes later",
    token: null,
    act: payOnPage("pm_usBankAccount_insufficientFunds"),
    ...UNPAID,
    state: expect.stringMatching(/failed|reversed/) as string,
  },
  { name: "on a page that nobody pays on", token: null, ...UNPAID, state: "canceled" },
];

function story({ token, act, ...end }: Way): Story {
  return {
    prepare: async () => {
      const account = await world.account("0", token);
      return account;
    },
    live: async (account, process) => {
      const order = purchase(process.deps, {
        accountId: account.id,
        id: orderOf(account) as PaymentId,
        what: { pack: "credits-1000" },
        currency: "eur",
        returnUrl: (link) => `${world.url}/pay/${link}/done`,
        by: "test",
        requestId: "req_test",
      });
      await orOutage(order);
      await act?.(account, process);
      await process.later(1);
      await process.later(LOOK);
    },
    heal: async (account) => {
      await world.advance(LOOK);
      // Whatever became of it: charged is credited, before anybody asks again.
      const paid = (await account.intents()).filter(({ status }) => PROMISED.has(status));
      expect(await account.available()).toBe(String(paid.length * 1000));
      const order = { id: orderOf(account), pack: "credits-1000", currency: "eur" };
      const answer = await account.post("/v1/purchases", order);
      if (answer.status === 503) await account.post("/v1/purchases", order);
      await act?.(account);
      await world.advance(LOOK);
      if (end.state === "canceled") await world.advance(DAY);
      await account.post("/v1/purchases", order);
    },
    check: async (account) => {
      expect(await expectBalanced(world, account, 0)).toEqual(end.charged);
      expect(await account.available()).toBe(end.available);
      const { body } = await account.get("/v1/payments");
      expect(body.payments.map(({ state }: { state: string }) => state)).toEqual([end.state]);
      const told = await account.notices();
      expect(told.length).toBe(new Set(told).size);
    },
  };
}

describe("a process that dies anywhere on the way of a purchase", () => {
  it.each(toTell(WAYS))(
    "$name: one charge at most, and exactly its credits",
    (way) => expectToSurvive(world, story(way)),
    SWEEP_MILLISECONDS,
  );
});

const CHARGE = "POST /v1/payment_intents";
const SESSION = "POST /v1/checkout/sessions";

const FAULTS: readonly (readonly [string, Way, readonly Fault[]])[] = [
  ["the charge has no answer", SAVED, [{ kind: "server_error", on: CHARGE }]],
  ["webhooks are lost", SAVED, [{ kind: "lose_webhook", ...EVERY_WEBHOOK }]],
  ["Stripe answers 500 before the page", PAGE, [{ kind: "server_error", when: "before", on: SESSION }]],
  ["webhooks are lost", PAGE, [{ kind: "lose_webhook", ...EVERY_WEBHOOK }]],
];

// The SDK itself asks once more where a connection ends.
const MORE_FAULTS: typeof FAULTS = [
  ["the connection ends before the charge", SAVED, [{ kind: "cut", when: "before", on: CHARGE, times: 2 }]],
  [
    "Stripe answers 500 after the charge, for ever",
    SAVED,
    [{ kind: "server_error", saved: true, on: CHARGE }],
  ],
  ["webhooks come in the wrong order", SAVED, [{ kind: "reorder_webhooks", ...EVERY_WEBHOOK }]],
  ["the page has no answer", PAGE, [{ kind: "cut", on: SESSION, times: 2 }]],
  ["webhooks come twice", PAGE, [{ kind: "duplicate_webhook", ...EVERY_WEBHOOK }]],
];

describe("a process that dies anywhere on the way of a purchase while", () => {
  it.each(isLong ? [...FAULTS, ...MORE_FAULTS] : FAULTS)(
    "%s: one charge at most, and exactly its credits",
    (_, way, faults) => expectToSurvive(world, story(way), faults),
    SWEEP_MILLISECONDS,
  );
});
