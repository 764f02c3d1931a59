import type { GrantId, HoldId } from "@bursar/contract/ids";
import { larger } from "@bursar/contract/money";
import { withTransaction } from "@bursar/database/transaction";
import type pg from "pg";
import { grant } from "../grant/grant.ts";
import { isDone } from "../ledger/store-read.ts";
import { stopTopUp } from "../topup/stop.ts";
import type { AdvanceDeps } from "./deps.ts";
import { disputeHoldOf, releases } from "./freeze.ts";
import { refunded } from "./notices.ts";
import { isGranted, type Payment } from "./payment.ts";
import type { RefundRecord } from "./payments.ts";
import { readPayment } from "./store.ts";
import { readRequest, reviveRequest } from "./store-refund-requests.ts";
import {
  insertRefund,
  lockPayment,
  markRefundFailed,
  openHolds,
  type Refund,
  readDisputes,
  readTaken,
} from "./store-refunds.ts";
import { allocate, type Draws, drawKeyOf, proportion, refundKeyOf, regrantIdOf, sumOf } from "./taken.ts";

const SYSTEM = "system:payments";
const GIVEN_BACK = { by: SYSTEM, note: "Credits were given back" };

/** Takes back the credits of what was paid back, in proportion: first what is left of that purchase, the rest becomes
 *  debt. Partial refunds add up, and a full one takes every credit. What each takes is decided once, under a lock, and
 *  revoked under the refund's id: any number of times, in any order, to one effect. */
export async function applyRefunds(
  deps: AdvanceDeps,
  payment: Payment,
  records: readonly RefundRecord[],
): Promise<void> {
  if (records.length === 0) return;
  const current = await readPayment(deps.pool, payment.accountId, payment.id);
  if (current === null || !isGranted(current.state)) return;
  for (const refund of await decideRefunds(deps, current, records)) {
    const why = refundWhy(refund);
    const free = await releases(deps, current.accountId, await toFree(deps, current, refund), GIVEN_BACK);
    // In one go, so that nothing of it can be spent between the two, and no other credits pay for it.
    await Promise.all([...free(), revoke(deps, current, refund.draws, refundKeyOf(refund), why)]);
    if (refund.failed)
      await giveAgain(deps, current, [regrantIdOf(refund.id), refund.credits], "The refund failed");
  }
}

/** What is held for its request. And what is still to be taken may be frozen for a dispute, which freezes the rest again
 *  afterwards. */
async function toFree(deps: AdvanceDeps, payment: Payment, refund: Refund): Promise<HoldId[]> {
  const own = refund.holdId === null ? [] : [refund.holdId];
  if (refund.draws.length === 0 || (await isDone(deps.pool, payment.accountId, refundKeyOf(refund))))
    return own;
  const rounds = await readDisputes(deps.pool, payment);
  return [...own, ...rounds.map(({ id }) => disputeHoldOf(id))];
}

export const refundWhy = ({ by, reason }: Pick<Refund, "by" | "reason">) => ({
  by: by ?? SYSTEM,
  note: reason ?? "The payment was paid back",
});

/** Under which id a grant's unused credits are held: the purchase's own under the request's, others beside it. */
export function holdIdFor(request: HoldId, payment: Pick<Payment, "grantId">, grantId: string): HoldId {
  return grantId === payment.grantId ? request : (`${request}:${grantId}` as HoldId);
}

async function decideRefunds(
  deps: AdvanceDeps,
  payment: Payment,
  records: readonly RefundRecord[],
): Promise<readonly Refund[]> {
  return withTransaction(deps.pool, async (client) => {
    await lockPayment(client, payment);
    for (const record of records) {
      const taken = await readTaken(client, payment);
      const before = taken.refunds.find(({ id }) => id === record.id);
      if (before === undefined && !record.hasFailed) await newRefund(deps, client, payment, record);
      else if (before?.failed === false && record.hasFailed)
        await markRefundFailed(client, payment, record.id);
    }
    return (await readTaken(client, payment)).refunds;
  });
}

async function newRefund(
  deps: AdvanceDeps,
  client: pg.PoolClient,
  payment: Payment,
  { id, amount, by, reason, requestId }: RefundRecord,
): Promise<void> {
  const taken = await readTaken(client, payment);
  const standing = taken.refunds.filter(({ failed }) => !failed);
  const paidBack = standing.reduce((sum, refund) => sum + refund.amount, amount);
  const due = proportion(payment, paidBack) - sumOf(standing.flatMap(({ draws }) => draws));
  const held = await heldFor(client, payment, requestId);
  const draws = allocate(payment, taken, due, held);
  const refund = { id, amount, draws, credits: sumOf(draws), failed: false, by, reason, requestId };
  const now = deps.clock.now();
  await insertRefund(client, payment, refund, now);
  const { accountId, id: paymentId } = payment;
  if (requestId !== null) await reviveRequest(client, { accountId, paymentId, id: requestId });
  // The balance is already without what is held.
  const isStopped = await stopTopUp(client, accountId, larger(0n, refund.credits - sumOf(held)), now);
  await refunded(client, deps.clock, payment, refund, isStopped);
}

/** What is held for the request that the refund answers: exactly that is taken. */
async function heldFor(client: pg.PoolClient, payment: Payment, requestId: string | null): Promise<Draws> {
  const { accountId, id: paymentId, grantId } = payment;
  if (requestId === null) return [];
  const request = (await readRequest(client, { accountId, paymentId, id: requestId }))?.holdId ?? null;
  if (request === null) return [];
  const holds = await openHolds(client, accountId, request);
  return holds.map(({ id, amount }) => [id === request ? grantId : id.slice(request.length + 1), amount]);
}

/** The money came back to us: so do the credits, once, as a grant of their own. */
export async function giveAgain(
  deps: AdvanceDeps,
  payment: Payment,
  [id, amount]: Draws[number],
  notes: string,
): Promise<void> {
  if (amount === 0n) return;
  const outcome = await grant(deps, {
    accountId: payment.accountId,
    id: id as GrantId,
    amount,
    source: payment.kind === "topup" ? "topup" : "purchase",
    expiresAt: null,
    reference: payment.id,
    by: SYSTEM,
    notes,
  });
  if (outcome.kind !== "granted") throw new Error(`${id}: ${outcome.kind} for money that came back`);
}

/** All that is left of the payment's credits, and the rest as debt. */
export async function takeBackAll(deps: AdvanceDeps, payment: Payment, note: string): Promise<void> {
  const taken = await withTransaction(deps.pool, (client) => readTaken(client, payment));
  const draws = allocate(payment, taken, payment.credits);
  await revoke(deps, payment, draws, `reverse:${payment.id}`, { by: SYSTEM, note });
}

/** Submitted together and at once: nothing is decided between them. */
export async function revoke(
  deps: Pick<AdvanceDeps, "ledger">,
  { accountId }: Pick<Payment, "accountId">,
  draws: Draws,
  key: string,
  why: { readonly by: string; readonly note: string },
): Promise<void> {
  const commands = draws.map(([grantId, amount], index) => {
    const id = drawKeyOf(key, index);
    const facts = { accountId, grantId: grantId as GrantId, amount, ...why };
    return deps.ledger.submit({ kind: "revoke", id, asked: `${key} ${grantId}`, ...facts });
  });
  for (const outcome of await Promise.all(commands))
    if (outcome.kind !== "done" && outcome.kind !== "duplicate")
      throw new Error(`${key}: ${outcome.kind} for credits whose money is gone`);
}
