import { withTransaction } from "@bursar/database/transaction";
import { grantedUnder, isDone } from "../ledger/store-read.ts";
import type { AdvanceDeps } from "./deps.ts";
import { disputeHoldOf, releases } from "./freeze.ts";
import { isGranted, type Payment } from "./payment.ts";
import { refundWhy, revoke } from "./refunds.ts";
import { readPayment } from "./store.ts";
import { keepDisputeDraws, keepRefundDraws, lockPayment, readDisputes, readTaken } from "./store-refunds.ts";
import {
  allocate,
  type Draws,
  disputeKeyOf,
  drawKeyOf,
  givenBy,
  LOST,
  proportion,
  refundKeyOf,
  sumOf,
} from "./taken.ts";

/** More may be paid back than was paid, as where a refund is followed by a lost dispute: what comes last then finds little
 *  to take. When what came first fails, or is won, after that, what stands takes the rest of its own of what came again:
 *  nobody has credits whose money they have, too. Decided under the lock, and taken under keys of its own, after
 *  what came again was given. True when something was taken: a part of it may have been frozen for another dispute, which
 *  is to freeze the rest again. */
export async function makeUp(deps: AdvanceDeps, payment: Payment): Promise<boolean> {
  const current = await readPayment(deps.pool, payment.accountId, payment.id);
  if (current === null || !isGranted(current.state)) return false;
  const again = givenBy(payment, await readTaken(deps.pool, payment)).slice(1);
  if (again.length === 0) return false;
  // Whoever has just learnt that it comes again gives it, and makes up for the rest then.
  for (const [grantId] of again)
    if ((await grantedUnder(deps.pool, payment.accountId, grantId)) === null) return false;
  await withTransaction(deps.pool, async (client) => {
    await lockPayment(client, payment);
    const moreFor = async ({ amount, draws }: { readonly amount: number; readonly draws: Draws }) =>
      allocate(payment, await readTaken(client, payment), proportion(payment, amount) - sumOf(draws));
    for (const refund of (await readTaken(client, payment)).refunds) {
      const more = refund.failed ? [] : await moreFor(refund);
      if (more.length > 0) await keepRefundDraws(client, payment, refund.id, [...refund.draws, ...more]);
    }
    for (const { id, state, amount, draws } of await readDisputes(client, payment)) {
      const more = state === "won" || draws === null ? [] : await moreFor({ amount, draws });
      if (more.length > 0) await keepDisputeDraws(client, payment, id, [...draws!, ...more]);
    }
  });
  return takeAll(deps, payment);
}

/** All that is decided, of which most is done. */
async function takeAll(deps: AdvanceDeps, payment: Payment): Promise<boolean> {
  const { refunds } = await readTaken(deps.pool, payment);
  const rounds = await readDisputes(deps.pool, payment);
  const takings = [
    ...refunds.map((refund) => ({ key: refundKeyOf(refund), draws: refund.draws, why: refundWhy(refund) })),
    // What an open one is to take, its closing takes.
    ...rounds
      .filter(({ state }) => state !== "open")
      .map((round) => ({ key: disputeKeyOf(round), draws: round.draws ?? [], why: LOST })),
  ];
  const frozen = rounds.map(({ id }) => disputeHoldOf(id));
  let hasTaken = false;
  for (const { key, draws, why } of takings) {
    if (await areDone(deps, payment, key, draws)) continue;
    const free = await releases(deps, payment.accountId, frozen, TAKEN_FROM);
    // In one go, so that nothing of it can be spent between the two.
    await Promise.all([...free(), revoke(deps, payment, draws, key, why)]);
    hasTaken = true;
  }
  return hasTaken;
}

const TAKEN_FROM = { by: "system:payments", note: "A part is taken back; the rest is frozen again" };

async function areDone(
  { pool }: AdvanceDeps,
  { accountId }: Payment,
  key: string,
  draws: Draws,
): Promise<boolean> {
  for (const [index] of draws.entries())
    if (!(await isDone(pool, accountId, drawKeyOf(key, index)))) return false;
  return true;
}
