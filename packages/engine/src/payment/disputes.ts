import type { HoldId } from "@bursar/contract/ids";
import { smaller } from "@bursar/contract/money";
import { withTransaction } from "@bursar/database/transaction";
import { readAccount } from "../ledger/store-load.ts";
import { disableTopUp, lookAgain } from "../topup/store-policies.ts";
import type { AdvanceDeps } from "./deps.ts";
import { disputeClosed, disputeOpened } from "./notices.ts";
import { isGranted, type Payment } from "./payment.ts";
import type { DisputeRecord } from "./payments.ts";
import { revoke } from "./refunds.ts";
import { readPayment } from "./store.ts";
import {
  closeDispute,
  disputesToFreeze,
  insertDispute,
  keepDisputeDraws,
  lockPayment,
  openHolds,
  readDisputes,
  readRefunds,
  readTaken,
} from "./store-refunds.ts";
import { allocate, type Draws, givenBy, proportion } from "./taken.ts";

/** A dispute freezes what is left of the disputed part of that purchase alone, and the account's top-up. Lost, that part
 *  is taken back, what was spent of it becomes debt, and auto top-up is switched off: nobody charges a card again that
 *  has just charged back. Won, all is as it was. */
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
    if (record.state === "open") await freezeRemainder(deps, current, record);
    else await close(deps, current, record, record.state);
  }
}

/** How the holds of a dispute begin: one for each time that something was there to freeze. */
const holdsOf = (disputeId: string) => `hold_dispute_${disputeId}`;

async function noteOpen(deps: AdvanceDeps, payment: Payment, { id, amount }: DisputeRecord): Promise<void> {
  const now = deps.clock.now();
  await withTransaction(deps.pool, async (client) => {
    await lockPayment(client, payment);
    if ((await readDisputes(client, payment)).some((known) => known.id === id)) return;
    await insertDispute(client, payment, { id, amount, holdId: holdsOf(id) }, now);
    await disputeOpened(client, deps.clock, payment, { id, amount });
  });
}

/** More often than the credits can change between looking and holding, when work goes on meanwhile. */
const TRIES = 20;

/** True when there was something to freeze. */
async function freezeRemainder(
  deps: AdvanceDeps,
  payment: Payment,
  record: Pick<DisputeRecord, "id" | "amount">,
): Promise<boolean> {
  const { accountId } = payment;
  const given = new Set(givenBy(payment, await readRefunds(deps.pool, payment)).map(([grantId]) => grantId));
  let hasFrozen = false;
  for (let tries = 1; ; tries++) {
    const account = await readAccount(deps.pool, accountId);
    const free = account?.grants.find((open) => given.has(open.id) && open.remaining > 0n);
    if (account === null || free === undefined) break;
    const holds = await openHolds(deps.pool, accountId, holdsOf(record.id));
    const frozen = holds.reduce((sum, { amount }) => sum + amount, 0n);
    const amount = smaller(free.remaining, proportion(payment, record.amount) - frozen);
    if (amount <= 0n) break;
    const grantId = free.id;
    // Of several who have seen the same account, one freezes.
    const id = `${holdsOf(record.id)}:${account.seq}` as HoldId;
    const outcome = await deps.ledger.submit({
      ...{ kind: "hold", accountId, id, grantId, amount, expiresAt: null, by: "system:payments" },
      asked: `dispute ${record.id}`,
      note: "A dispute is open",
    });
    if (outcome.kind === "done" || outcome.kind === "duplicate") hasFrozen = true;
    else if (outcome.kind !== "insufficient_credits" && outcome.kind !== "grant_unknown")
      throw new Error(`${record.id}: ${outcome.kind} for the rest of a disputed purchase`);
    if (tries === TRIES) throw new Error(`${record.id}: the rest of the purchase changes too fast to freeze`);
  }
  if (hasFrozen && !(await isStillOpen(deps, payment, record.id)))
    await Promise.all(await releases(deps, payment, record.id));
  return hasFrozen;
}

/** What work had held of a disputed purchase and gives back belongs to what is frozen. Returns how often it froze some.
 *  Throws: database unreachable. */
export async function freezeReturned(deps: AdvanceDeps): Promise<number> {
  let count = 0;
  for (const { accountId, paymentId, ...dispute } of await disputesToFreeze(deps.pool)) {
    try {
      const payment = await readPayment(deps.pool, accountId, paymentId);
      if (payment !== null && (await freezeRemainder(deps, payment, dispute))) count++;
    } catch (error) {
      deps.log.warn(
        { err: error, disputeId: dispute.id },
        "returned credits are not frozen yet; tried again",
      );
    }
  }
  return count;
}

async function isStillOpen(deps: AdvanceDeps, payment: Payment, disputeId: string): Promise<boolean> {
  const disputes = await withTransaction(deps.pool, (client) => readDisputes(client, payment));
  return disputes.some((known) => known.id === disputeId && known.state === "open");
}

/** Submitted when it returns. Whatever the answers: a hold that is closed needs no release. */
async function releases(
  deps: AdvanceDeps,
  { accountId }: Payment,
  disputeId: string,
): Promise<Promise<unknown>[]> {
  const holds = await openHolds(deps.pool, accountId, holdsOf(disputeId));
  const note = "The dispute is closed";
  return holds.map(({ id: holdId }) =>
    deps.ledger.submit({ kind: "release", accountId, holdId, by: "system:payments", note }),
  );
}

async function close(
  deps: AdvanceDeps,
  payment: Payment,
  record: DisputeRecord,
  state: "won" | "lost",
): Promise<void> {
  const { id } = record;
  const draws = state === "lost" ? await decideDraws(deps, payment, record) : [];
  // In one go, so that nothing of it can be spent between the two.
  await Promise.all([
    ...(await releases(deps, payment, id)),
    revoke(deps, payment, draws, `dispute:${id}`, { by: "system:payments", note: "The dispute was lost" }),
  ]);
  const now = deps.clock.now();
  await withTransaction(deps.pool, async (client) => {
    if (!(await closeDispute(client, payment, { disputeId: id, state, now }))) return;
    if (state === "lost") await disableTopUp(client, payment.accountId, "dispute_lost", now);
    else await lookAgain(client, payment.accountId);
    await disputeClosed(client, deps.clock, payment, { id, state });
  });
  // What somebody froze before they could see that it is closed.
  await Promise.all(await releases(deps, payment, id));
}

/** What the disputed money has bought and no refund or other dispute has taken: decided once. */
async function decideDraws(
  deps: AdvanceDeps,
  payment: Payment,
  { id, amount }: DisputeRecord,
): Promise<Draws> {
  return withTransaction(deps.pool, async (client) => {
    await lockPayment(client, payment);
    const before = (await readDisputes(client, payment)).find((known) => known.id === id)?.draws;
    if (before != null) return before;
    const draws = allocate(payment, await readTaken(client, payment), proportion(payment, amount));
    await keepDisputeDraws(client, payment, id, draws);
    return draws;
  });
}
