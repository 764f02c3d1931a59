/** Refunds, disputes, appeals and work in any order: what is left follows from where they stand, and not from the way. */
import { type AccountId, newLink, type PaymentId } from "@bursar/contract/ids";
import { addSeconds, parseInstant } from "@bursar/contract/instant";
import { credits } from "@bursar/contract/money";
import { priceBookBody } from "@bursar/contract/operations/prices";
import { createTestDatabase } from "@bursar/database/testing";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { balance } from "../src/balance/balance.ts";
import { verifyLedger } from "../src/ledger/verify.ts";
import { advance } from "../src/payment/advance.ts";
import { freezeReturned } from "../src/payment/disputes.ts";
import { grantIdOf } from "../src/payment/payment.ts";
import type { IntentRecord, Payments } from "../src/payment/payments.ts";
import { insertPayment, readPayment } from "../src/payment/store.ts";
import { subscribe } from "../src/subscription/subscribe.ts";
import { syncInvoice, syncSubscription } from "../src/subscription/sync.ts";
import { tendSubscriptions } from "../src/subscription/tend.ts";
import { openBillingWorld, pricesOf } from "./billing-world.ts";
import { command, openTestLedger, silentLog, type TestLedger } from "./ledger-on-test-database.ts";

const plans = [{ id: "galaxy", name: "Galaxy", credits: "1000", prices: { eur: 1000 } }];
const prices = pricesOf(priceBookBody.parse({ models: {}, plans }));

let one: TestLedger;
beforeAll(async () => {
  one = await openTestLedger(createTestDatabase);
  one.clock.set(parseInstant("2027-01-31T09:00:00Z")!);
});
afterAll(() => one.close());

type State = "open" | "taken" | "returned";

interface Known {
  readonly id: string;
  readonly kind: "refund" | "dispute";
  readonly amount: number;
  readonly state: State;
}

/** What gave 1,000 credits for 1,000 cents, and whoever can take some of that back. */
interface Sold {
  readonly accountId: AccountId;
  begin(kind: Known["kind"], amount: number): string;
  move(id: string, state: State): void;
  /** Its events come, twice and the other way round, and the background does what it does. */
  settle(): Promise<void>;
}

async function soldPlan(): Promise<Sold> {
  const accountId = await one.createAccount();
  const world = openBillingWorld(one.clock);
  await one.pool.query("update subscriptions set due_at = null");
  const deps = { ...one, ...world.provider, prices, log: silentLog };
  const settle = async () => {
    const events = world.takeEvents();
    for (const { kind, id } of [...events, ...events.toReversed()])
      await (kind === "invoice" ? syncInvoice(deps, id) : syncSubscription(deps, id));
    while ((await tendSubscriptions(deps)) > 0);
  };
  const plan = { accountId, id: undefined, planId: "galaxy", currency: "eur", method: "default" } as const;
  await subscribe(deps, { ...plan, returnUrl: null, by: "test" });
  await settle();
  return {
    accountId,
    begin: (kind, amount) =>
      kind === "refund" ? world.payBack("in_1", amount) : world.dispute("in_1", amount),
    move: (id, state) => world.decide("in_1", id, state),
    settle,
  };
}

async function soldPurchase(): Promise<Sold> {
  const accountId = await one.createAccount();
  const id = `pay_${accountId}` as PaymentId;
  const known = new Map<string, Known>();
  const payments = { intent: async () => recordOf([...known.values()]) } satisfies Partial<Payments>;
  const deps = { ...one, log: silentLog, payments: payments as unknown as Payments };
  const facts = { accountId, id, kind: "purchase", method: "checkout", currency: "eur", by: "test" } as const;
  const none = { paymentMethodId: null, netBefore: null, threshold: null, requestId: null, returnUrl: null };
  const bought = { credits: credits("1000"), amount: 1000, grantId: grantIdOf(id), link: newLink() };
  const payment = { ...facts, ...none, ...bought, asked: "test", createdAt: one.clock.now() };
  await insertPayment(one.pool, payment, "charging", 0);
  await one.pool.query("update payments set intent_id = $1 where account_id = $1", [accountId]);
  const settle = async () => {
    const look = async () => advance(deps, (await readPayment(one.pool, accountId, id))!);
    await Promise.all([look(), look()]);
    while ((await freezeReturned(deps)) > 0);
  };
  await settle();
  return {
    accountId,
    begin: (kind, amount) => {
      const reversal = `${kind}_${accountId}_${known.size}`;
      known.set(reversal, { id: reversal, kind, amount, state: kind === "refund" ? "taken" : "open" });
      return reversal;
    },
    move: (reversal, state) => known.set(reversal, { ...known.get(reversal)!, state }),
    settle,
  };
}

const DISPUTES = { open: "open", taken: "lost", returned: "won" } as const;

function recordOf(known: readonly Known[]): IntentRecord {
  const asked = { requestId: null, by: null, reason: null };
  const of = (kind: Known["kind"]) => known.filter((each) => each.kind === kind);
  return {
    intentId: "pi",
    status: "succeeded",
    failure: null,
    refunds: of("refund").map(({ id, amount, state }) => {
      return { ...asked, id, amount, hasFailed: state === "returned" };
    }),
    disputes: of("dispute").map(({ id, amount, state }) => ({ id, amount, state: DISPUTES[state] })),
  };
}

const STEP = fc.oneof(
  fc.record({ do: fc.constantFrom("refund", "dispute"), amount: fc.constantFrom(100, 250, 333, 700) }),
  // Of those that there are, one moves to another state, where a bank can do so.
  fc.record({
    do: fc.constant("move"),
    which: fc.nat(5),
    to: fc.constantFrom<State[]>("open", "taken", "returned"),
  }),
  fc.record({ do: fc.constantFrom("spend", "hold"), amount: fc.constantFrom(40, 150, 400) }),
  fc.record({ do: fc.constant("release") }),
);

type Step = typeof STEP extends fc.Arbitrary<infer Value> ? Value : never;

const move = (which: number, to: State): Step => ({ do: "move", which, to });
const refund: Step = { do: "refund", amount: 700 };
const dispute: Step = { do: "dispute", amount: 700 };
const spend: Step = { do: "spend", amount: 400 };

/** More is paid back than was paid, and then some of that is not: what stands has what the other had taken. */
const BEYOND: [Step[]][] = [
  [[refund, dispute, move(1, "taken"), move(0, "returned")]],
  [[dispute, move(0, "taken"), refund, move(0, "returned")]],
  [[refund, refund, spend, move(0, "returned"), move(1, "returned")]],
  [[dispute, dispute, move(0, "taken"), move(1, "taken"), spend, move(0, "returned"), move(0, "open")]],
  [[spend, refund, dispute, move(0, "returned"), move(1, "taken"), refund, move(1, "returned")]],
];

const MOVES: Record<Known["kind"], readonly string[]> = {
  refund: ["taken returned"],
  dispute: ["open taken", "open returned", "taken returned", "returned open"],
};

interface Life {
  readonly sold: Sold;
  known: readonly Known[];
  work: readonly { readonly id: string; readonly amount: number }[];
  spent: number;
}

const sumOf = (known: readonly { readonly amount: number }[]) =>
  known.reduce((sum, { amount }) => sum + amount, 0);

async function live(sold: Sold, steps: readonly Step[]): Promise<void> {
  const life: Life = { sold, known: [], work: [], spent: 0 };
  for (const [number, step] of steps.entries()) {
    await take(life, step, number);
    await sold.settle();
    await expectStanding(life);
  }
}

async function take(life: Life, step: Step, number: number): Promise<void> {
  const { sold, known, work } = life;
  const submit = async (loose: Parameters<typeof command>[1]) =>
    (await one.ledger.submit(command(sold.accountId, loose))).kind === "done";
  switch (step.do) {
    case "refund":
    case "dispute": {
      const state = step.do === "refund" ? "taken" : "open";
      const id = sold.begin(step.do, step.amount);
      life.known = [...known, { id, kind: step.do, amount: step.amount, state }];
      return;
    }
    case "move": {
      const moved = known[step.which];
      if (moved === undefined || !MOVES[moved.kind].includes(`${moved.state} ${step.to}`)) return;
      sold.move(moved.id, step.to);
      life.known = known.map((each) => (each === moved ? { ...each, state: step.to } : each));
      return;
    }
    case "spend":
      if (await submit({ kind: "spend", id: `spend_${number}`, amount: credits(String(step.amount)) }))
        life.spent += step.amount;
      return;
    case "hold": {
      const id = `hold_${number}`;
      if (await submit({ kind: "hold", id, amount: credits(String(step.amount)) }))
        life.work = [...work, { id, amount: step.amount }];
      return;
    }
    case "release": {
      const [done, ...rest] = work;
      if (done !== undefined)
        await one.ledger.submit(command(sold.accountId, { kind: "release", holdId: done.id }));
      life.work = rest;
    }
  }
}

async function expectStanding({ sold, known, work, spent }: Life): Promise<void> {
  const { available, held, owed } = (await balance(one, sold.accountId))!;
  const frozen = held - credits(String(sumOf(work)));
  const [taken, disputed] = (["taken", "open"] as const).map((state) =>
    // However much is paid back, there is no more to take than was given.
    credits(String(Math.min(1000, sumOf(known.filter((each) => each.state === state))))),
  ) as [bigint, bigint];
  expect(available + held - owed).toBe(credits("1000") - credits(String(spent)) - taken);
  // All that is disputed, or all that there is.
  expect({ known, frozen }).toEqual({
    known,
    frozen: disputed < available + frozen ? disputed : available + frozen,
  });
}

it("of a month that has ended, what work gave back after its end is asked of nobody", async () => {
  const sold = await soldPlan();
  const { accountId } = sold;
  const submit = (loose: Parameters<typeof command>[1]) => one.ledger.submit(command(accountId, loose));
  for (const id of ["hold_unused", "hold_used"])
    await submit({ kind: "hold", id, amount: credits("200"), expiresAt: null });
  one.clock.set(addSeconds(one.clock.now(), 40 * 86_400));
  await submit({ kind: "release", holdId: "hold_unused" });
  await submit({ kind: "settle", holdId: "hold_used", amount: credits("50") });
  sold.begin("refund", 1000);
  await sold.settle();
  expect(await balance(one, accountId)).toMatchObject({ available: 0n, held: 0n, owed: credits("50") });
});

const SOLD = [
  ["plan", soldPlan],
  ["purchase", soldPurchase],
] as const;

it.each(SOLD)("of a %s, take what is frozen in the transaction that frees it", async (_name, sell) => {
  const sold = await sell();
  const dispute = sold.begin("dispute", 1000);
  await sold.settle();
  sold.begin("refund", 400);
  await sold.settle();
  sold.move(dispute, "taken");
  await sold.settle();
  const { rows } = await one.pool.query<{ freed: bigint }>(
    `select (select coalesce(sum(f.amount), 0)::int8 from entries f
       where f.account_id = r.account_id and f.xmin = r.xmin and f.kind = 'release') as freed
     from entries r where account_id = $1 and kind = 'revoke' order by seq`,
    [sold.accountId],
  );
  expect(rows.map(({ freed }) => freed)).toEqual([credits("1000"), credits("600")]);
});

it.each(SOLD)(
  "of a %s, in any order, leave what follows from where they stand, and freeze what is disputed",
  async (_name, sell) => {
    await fc.assert(
      fc.asyncProperty(fc.array(STEP, { minLength: 4, maxLength: 12 }), async (steps) =>
        live(await sell(), steps),
      ),
      { examples: BEYOND, numRuns: BEYOND.length + Number(process.env["RUNS"] ?? 8), endOnFailure: true },
    );
    expect((await verifyLedger(one.connect)).problems).toEqual([]);
  },
  900_000,
);
