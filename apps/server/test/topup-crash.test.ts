/** The top-up as a state machine: a process dies at every step of it, with every card, and with everything that goes
 *  wrong at Stripe meanwhile. */
import { watchTopUps } from "@bursar/engine/topup/watch";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectBalanced } from "./balanced.ts";
import {
  type Account,
  type CrashingWorld,
  DAY,
  EVERY_WEBHOOK,
  expectToSurvive,
  type Fault,
  IMPATIENT_MILLISECONDS,
  isLong,
  LOOK,
  type Mortal,
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

/** Long enough for a first try, and for what that leads to; with several faults at once it takes more. */
const LOOKS = isLong ? [LOOK, LOOK, LOOK, LOOK] : [LOOK, LOOK];

interface Card {
  readonly name: string;
  /** It goes the way of another one: told in the long run only. */
  readonly isLike?: true;
  readonly token?: string;
  /** What happens to the saved card before it is charged. */
  readonly change?: Parameters<CrashingWorld["stripe"]["changeCard"]>[1];
  /** What people do while the process lives, and again after its death. */
  readonly act?: (account: Account, process?: Mortal) => Promise<void>;
  /** How long until everything is over. */
  readonly seconds?: readonly number[];
  readonly charged: readonly number[];
  readonly available: string;
  /** Why the policy is off at the end; null: it is on. */
  readonly disabled: string | null;
}

/** The link in the notice leads to the bank, and back. */
const answerBank = (answer: "approve" | "deny") => async (account: Account, process?: Mortal) => {
  const open: Mortal["open"] =
    process?.open ?? (async (path, method = "GET") => void (await world.call(null, method, path)));
  const attempt = (await account.attempts()).find(({ state }) => state === "requires_action");
  if (attempt === undefined) return;
  const { pathname } = new URL(attempt["actionUrl"] as string);
  await open(pathname);
  await open(pathname, "POST");
  const waiting = (await account.intents()).find(({ status }) => status === "requires_action");
  if (waiting !== undefined) world.stripe.authenticate(waiting.id, answer);
  await open(`${pathname}/done`);
};

const closeDisputes = async (account: Account) => {
  for (const { id } of await account.intents())
    for (const dispute of (await world.sdk.disputes.list({ payment_intent: id })).data)
      if (dispute.status === "needs_response") world.stripe.closeDispute(dispute.id, "won");
};

const switchOff = async (account: Account, process?: Mortal) => {
  if (process === undefined) await account.call("PUT", "/v1/topup-policy", { enabled: false });
};

const PAID = { charged: [380], available: "2000", disabled: null };
const UNPAID = { charged: [], available: "100" };

const VISA: Card = { name: "that pays", ...PAID };

const CARDS: readonly Card[] = [
  VISA,
  { name: "that is declined", token: "pm_card_chargeCustomerFail", ...UNPAID, disabled: "generic_decline" },
  {
    name: "without money",
    isLike: true,
    change: { behavesAs: "pm_card_chargeDeclinedInsufficientFunds" },
    ...UNPAID,
    disabled: "insufficient_funds",
  },
  {
    name: "that its bank calls expired",
    isLike: true,
    change: { behavesAs: "pm_card_chargeDeclinedExpiredCard" },
    ...UNPAID,
    disabled: "expired_card",
  },
  {
    name: "that has expired",
    change: { expires: { month: 1, year: 2020 } },
    ...UNPAID,
    disabled: "no_payment_method",
  },
  { name: "that pays minutes later", isLike: true, token: "pm_sandbox_processing", ...PAID },
  {
    name: "that fails minutes later",
    token: "pm_sandbox_processingFail",
    ...UNPAID,
    disabled: "insufficient_funds",
  },
  {
    name: "whose bank asks and hears yes",
    token: "pm_card_authenticationRequired",
    act: answerBank("approve"),
    ...PAID,
  },
  {
    name: "whose bank asks and hears no",
    token: "pm_card_authenticationRequired",
    act: answerBank("deny"),
    ...UNPAID,
    disabled: "authentication_required",
  },
  {
    name: "whose bank asks and hears nothing",
    token: "pm_card_authenticationRequired",
    act: switchOff,
    seconds: [LOOK, DAY + LOOK],
    ...UNPAID,
    disabled: "",
  },
  {
    name: "whose holder disputes and is right",
    token: "pm_card_createDispute",
    // A charge that comes late is disputed late.
    seconds: [...LOOKS, 10 * DAY, ...(isLong ? [10 * DAY] : [])],
    charged: [380],
    available: "100",
    disabled: "dispute_lost",
  },
  {
    name: "whose holder disputes and is wrong",
    isLike: true,
    token: "pm_card_createDispute",
    act: closeDisputes,
    ...PAID,
  },
];

function story({ token, change, act, seconds = LOOKS, ...end }: Card): Story {
  return {
    prepare: async () => {
      const account = await world.account("100", token);
      if (change !== undefined) world.stripe.changeCard(account.methodId, change);
      await account.policy();
      return account;
    },
    live: async (account, process) => {
      await watchTopUps(process.deps)();
      await process.later(1);
      await act?.(account, process);
      await process.later(LOOK);
      await process.later(LOOK);
    },
    heal: async (account) => {
      const [first, ...rest] = seconds;
      await world.advance(first!);
      await act?.(account);
      for (const more of rest) await world.advance(more);
    },
    check: async (account) => {
      expect(await expectBalanced(world, account, 100)).toEqual(end.charged);
      expect(await account.available()).toBe(end.available);
      const { enabled, disabledReason } = (await account.get("/v1/topup-policy")).body;
      expect(enabled ? null : (disabledReason ?? "")).toBe(end.disabled);
      const told = await account.notices();
      // Each thing is told once.
      expect(told.length).toBe(new Set(told).size);
    },
  };
}

describe("a process that dies anywhere on the way to a top-up, with a card", () => {
  it.each(toTell(CARDS))(
    "$name: one charge at most, and exactly its credits",
    (card) => expectToSurvive(world, story(card)),
    SWEEP_MILLISECONDS,
  );
});

/** For the tests of one `describe`. */
function useImpatientWorld(): void {
  let patient: CrashingWorld;
  beforeAll(async () => {
    patient = world;
    world = await startCrashingWorld(IMPATIENT_MILLISECONDS);
  });
  afterAll(async () => {
    await world.close();
    world = patient;
  });
}

const CHARGE = "POST /v1/payment_intents";

const FAULTS: readonly (readonly [string, readonly Fault[]])[] = [
  ["no answer comes, though it was charged", [{ kind: "timeout", on: CHARGE }]],
  ["Stripe answers 500 before the charge", [{ kind: "server_error", when: "before", on: CHARGE }]],
  ["webhooks are lost", [{ kind: "lose_webhook", ...EVERY_WEBHOOK }]],
  ["webhooks come twice", [{ kind: "duplicate_webhook", ...EVERY_WEBHOOK }]],
  ["webhooks come in the wrong order", [{ kind: "reorder_webhooks", ...EVERY_WEBHOOK }]],
];

// The SDK itself asks once more where a connection ends.
const MORE_FAULTS: typeof FAULTS = [
  ["the connection ends before the charge", [{ kind: "cut", when: "before", on: CHARGE, times: 2 }]],
  ["the connection ends after the charge", [{ kind: "cut", on: CHARGE, times: 2 }]],
  ["Stripe answers 500 after it, for ever", [{ kind: "server_error", saved: true, on: CHARGE }]],
  ["Stripe takes no more calls", [{ kind: "rate_limit", on: CHARGE, times: 2 }]],
  [
    "Stripe cannot be asked either",
    [
      { kind: "server_error", on: "GET /v1/customers/*", times: 2 },
      { kind: "cut", on: "GET /v1/payment_intents/*", times: 2 },
    ],
  ],
  [
    "the charge has no answer, and webhooks are lost",
    [
      { kind: "server_error", on: CHARGE },
      { kind: "lose_webhook", ...EVERY_WEBHOOK },
    ],
  ],
];

describe("a process that dies anywhere on the way to a top-up while", () => {
  describe.each(isLong ? [...FAULTS, ...MORE_FAULTS] : FAULTS)("%s", (_, faults) => {
    if (faults.some(({ kind }) => kind === "timeout")) useImpatientWorld();
    // The long run crosses every fault with every card.
    it.each(isLong ? CARDS : [VISA])(
      "a card $name is charged: one charge at most, and exactly its credits",
      (card) => expectToSurvive(world, story(card), faults),
      SWEEP_MILLISECONDS,
    );
  });
});
