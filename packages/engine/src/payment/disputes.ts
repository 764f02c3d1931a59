import type { HoldId } from "@bursar/contract/ids";
import { withTransaction } from "@bursar/database/transaction";
import { readAccount } from "../ledger/store-load.ts";
import { resumeTopUp, suspendTopUp } from "../topup/store-policies.ts";
import type { AdvanceDeps } from "./advance.ts";
import { disputeClosed, disputeOpened } from "./notices.ts";
import { isGranted, type Payment } from "./payment.ts";
import type { DisputeRecord } from "./payments.ts";
import { readPayment } from "./store.ts";
import { closeDispute, insertDispute, lockRefunds, readDisputes } from "./store-refunds.ts";

/** A dispute freezes what is left of that purchase alone, and the account's top-up. Lost, the purchase is taken back
 *  and what was spent of it becomes debt; won, all is as it was. */
export async function applyDisputes(
  deps: AdvanceDeps,
  payment: Payment,
  records: readonly DisputeRecord[],
): Promise<void> {
  if (records.length === 0) return;
  const current = await readPayment(deps.pool, payment.accountId, payment.id);
  if (current === null || !isGranted(current.state)) return;
  for (const record of records) {
    await noteOpen(deps, current, record);
    if (record.state === "open") await freezeRemainder(deps, current, record.id);
    else await close(deps, current, record.id, record.state);
  }
}

const holdOf = (disputeId: string) => `hold_dispute_${disputeId}` as HoldId;

async function noteOpen(deps: AdvanceDeps, payment: Payment, { id, amount }: DisputeRecord): Promise<void> {
  const now = deps.clock.now();
  await withTransaction(deps.pool, async (client) => {
    await lockRefunds(client, payment);
    if ((await readDisputes(client, payment)).some((known) => known.id === id)) return;
    await insertDispute(client, payment, { id, amount, holdId: holdOf(id) }, now);
    await suspendTopUp(client, payment.accountId);
    await disputeOpened(client, deps.clock, payment, { id, amount });
  });
}

/** More than the credits can change between looking and holding, when work goes on meanwhile. */
const TRIES = 20;

async function freezeRemainder(deps: AdvanceDeps, payment: Payment, disputeId: string): Promise<void> {
  const { accountId, grantId } = payment;
  const id = holdOf(disputeId);
  for (let tries = 1; ; tries++) {
    const account = await readAccount(deps.pool, accountId);
    const left = account?.grants.find((open) => open.id === grantId)?.remaining ?? 0n;
    if (left === 0n) return;
    const outcome = await deps.ledger.submit({
      ...{ kind: "hold", accountId, id, grantId, amount: left, expiresAt: null, by: "system:payments" },
      asked: `dispute ${disputeId}`,
      note: "A dispute is open",
    });
    if (outcome.kind === "done" || outcome.kind === "duplicate") break;
    if (outcome.kind !== "insufficient_credits" && outcome.kind !== "grant_unknown")
      throw new Error(`${disputeId}: ${outcome.kind} for the rest of a disputed purchase`);
    if (tries === TRIES) throw new Error(`${disputeId}: the rest of the purchase changes too fast to freeze`);
  }
  if (!(await isStillOpen(deps, payment, disputeId))) await releaseHold(deps, payment, disputeId);
}

async function isStillOpen(deps: AdvanceDeps, payment: Payment, disputeId: string): Promise<boolean> {
  const disputes = await withTransaction(deps.pool, (client) => readDisputes(client, payment));
  return disputes.some((known) => known.id === disputeId && known.state === "open");
}

/** Whatever the answer: a hold that never was, or is closed, needs no release. */
async function releaseHold(deps: AdvanceDeps, { accountId }: Payment, disputeId: string): Promise<void> {
  await deps.ledger.submit({
    ...{ kind: "release", accountId, holdId: holdOf(disputeId), by: "system:payments" },
    note: "The dispute is closed",
  });
}

async function close(
  deps: AdvanceDeps,
  payment: Payment,
  disputeId: string,
  state: "won" | "lost",
): Promise<void> {
  // Submitted together, so that nothing can be spent between the two.
  const released = releaseHold(deps, payment, disputeId);
  if (state === "lost") await takeBack(deps, payment, disputeId);
  await released;
  const now = deps.clock.now();
  await withTransaction(deps.pool, async (client) => {
    if (!(await closeDispute(client, payment, { disputeId, state, now }))) return;
    await resumeTopUp(client, payment.accountId);
    await disputeClosed(client, deps.clock, payment, { id: disputeId, state });
  });
}

/** All of the purchase that no refund has taken already. */
async function takeBack(deps: AdvanceDeps, payment: Payment, disputeId: string): Promise<void> {
  const { accountId, grantId, credits } = payment;
  const refunds = await withTransaction(deps.pool, (client) => lockRefunds(client, payment));
  const taken = refunds.reduce((sum, refund) => sum + (refund.failed ? 0n : refund.credits), 0n);
  if (taken >= credits) return;
  const outcome = await deps.ledger.submit({
    ...{ kind: "revoke", accountId, grantId, amount: credits - taken, by: "system:payments" },
    id: `dispute:${disputeId}`,
    asked: `dispute ${disputeId} lost`,
    note: "The dispute was lost",
  });
  if (outcome.kind === "done" || outcome.kind === "duplicate") return;
  throw new Error(`${disputeId}: ${outcome.kind} for a purchase that was charged back`);
}
