import { expect } from "vitest";
import type { Account, CrashingWorld } from "./crashing.ts";

interface Row {
  readonly id: string;
  readonly state: string;
  readonly credits: bigint;
  readonly amount: bigint;
  readonly isDue: boolean;
}

const MICRO = 1_000_000;

/** What must hold at the end of every story, whoever died in it: the money that Stripe has kept is the money that was
 *  credited, each payment was charged at most once, and nothing is open for ever, here or at Stripe.
 *  `owned`: the credits that the account would have without any payment. Returns what was charged, in cents. */
export async function expectBalanced(
  world: CrashingWorld,
  account: Account,
  owned: number,
): Promise<number[]> {
  const { rows } = await world.engine.pool.query<Row>(
    `select payment_id as id, state, credits, amount, due_at is not null as "isDue" from payments
     where account_id = $1 order by payment_id`,
    [account.id],
  );
  const intents = await account.intents();
  const paid = intents.filter(({ amount_received }) => amount_received > 0);
  const paymentOf = (intent: (typeof intents)[number]) => String(intent.metadata["bursar_payment"]);
  const confirmed = rows.filter(({ state }) => state === "confirmed");
  expect(paid.map(paymentOf).toSorted()).toEqual(confirmed.map(({ id }) => id).toSorted());
  let credited = 0;
  for (const intent of paid) {
    const { credits, amount } = rows.find(({ id }) => id === paymentOf(intent))!;
    expect(intent.amount_received).toBe(Number(amount));
    credited += (Number(credits) / MICRO) * ((await keptOf(world, intent)) / Number(amount));
  }
  const [available, held, owed] = (await account.balance()).map(Number) as [number, number, number];
  expect([available + held - owed, held]).toEqual([owned + credited, 0]);
  expect(rows.filter(({ isDue, state }) => isDue || !ENDED.has(state))).toEqual([]);
  expect(intents.filter(({ status }) => status !== "succeeded" && status !== "canceled")).toEqual([]);
  const wanted = await world.engine.pool.query(
    "select request_id from payment_refund_requests where account_id = $1 and (state = 'wanted' or due_at is not null)",
    [account.id],
  );
  expect(wanted.rows).toEqual([]);
  const left = await world.engine.pool.query(
    "select type, last_error from payment_events where state in ('waiting', 'parked')",
  );
  expect(left.rows).toEqual([]);
  return paid.map(({ amount_received }) => amount_received);
}

const ENDED: ReadonlySet<string> = new Set(["confirmed", "failed", "reversed", "canceled"]);

type Intent = Awaited<ReturnType<Account["intents"]>>[number];

/** What is left of a payment after refunds and lost disputes. */
async function keptOf(world: CrashingWorld, { id, amount_received, latest_charge }: Intent): Promise<number> {
  const refunded = typeof latest_charge === "object" ? (latest_charge?.amount_refunded ?? 0) : 0;
  const { data } = await world.sdk.disputes.list({ payment_intent: id });
  const lost = data.reduce((sum, { status, amount }) => (status === "lost" ? sum + amount : sum), 0);
  return amount_received - refunded - lost;
}
