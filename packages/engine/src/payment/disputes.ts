import type { HoldId } from "@bursar/contract/ids";
import { addSeconds } from "@bursar/contract/instant";
import { smaller } from "@bursar/contract/money";
import { withTransaction } from "@bursar/database/transaction";
import type pg from "pg";
import { readAccount } from "../ledger/store-load.ts";
import { disableTopUp, lookAgain } from "../topup/store-policies.ts";
import type { AdvanceDeps } from "./deps.ts";
import { disputeClosed, disputeOpened } from "./notices.ts";
import { isGranted, type Payment } from "./payment.ts";
import type { DisputeRecord } from "./payments.ts";
import { giveAgain, revoke } from "./refunds.ts";
import { readPayment } from "./store.ts";
import {
  closeDispute,
  type Dispute,
  disputesToFreeze,
  disputesToRelease,
  insertDispute,
  keepDisputeDraws,
  lockPayment,
  openHolds,
  readDisputes,
  readTaken,
  wonAgain,
} from "./store-refunds.ts";
import { allocate, givenBy, proportion } from "./taken.ts";

/** A dispute freezes what is left of the disputed part of that purchase alone, and the account's top-up. Lost, that part
 *  is taken back, what was spent of it becomes debt, and auto top-up is switched off: nobody charges a card again that
 *  has just charged back. Won, all is as it was; and what was lost before an appeal comes again. Appeals freeze and take
 *  only what has not been taken.
 *  `seen`: the payment's disputes before the provider was asked. False: what it said may be older than what is known by
 *  now, and it must be asked again. */
export async function applyDisputes(
  deps: AdvanceDeps,
  payment: Payment,
  records: readonly DisputeRecord[],
  seen: readonly Dispute[],
): Promise<boolean> {
  if (records.length === 0) return true;
  const current = await readPayment(deps.pool, payment.accountId, payment.id);
  if (current === null || !isGranted(current.state)) return true;
  for (const record of records) if (!(await applyDispute(deps, current, record, seen))) return false;
  return true;
}

async function applyDispute(
  deps: AdvanceDeps,
  payment: Payment,
  record: DisputeRecord,
  seen: readonly Dispute[],
): Promise<boolean> {
  const round = await noteRound(deps, payment, record, seen);
  if (round === null) return false;
  if (round.state === "open" && (round.draws !== null || record.state === "won")) {
    // A loss that is decided is carried out first, whatever has become of it meanwhile.
    const state = round.draws === null ? "won" : "lost";
    return (await close(deps, payment, record, round, state)) && state === record.state;
  }
  if (round.state === "open") await freezeRemainder(deps, payment, { id: round.id, amount: record.amount });
  // What somebody froze before they could see that it is closed.
  else await Promise.all(await releases(deps, payment, round.id));
  await giveAgainWon(deps, payment, [round]);
  return true;
}

/** Every time that a bank takes a dispute up after it was won is a round of its own, with holds, takings and a grant of
 *  its own: the last one, and what the next one is called. */
function lastRound(known: readonly Dispute[], disputeId: string): { last: Dispute | null; nextId: string } {
  let last: Dispute | null = null;
  for (let number = 1; ; number++) {
    const id = number === 1 ? disputeId : `${disputeId}_${number}`;
    const round = known.find((dispute) => dispute.id === id);
    if (round === undefined) return { last, nextId: id };
    last = round;
  }
}

/** The round that the provider's word is about, as it is then: a new one is open, and decided is what a lost one takes.
 *  null: others have changed it since it was `seen`, and this would change it, too. */
async function noteRound(
  deps: AdvanceDeps,
  payment: Payment,
  record: DisputeRecord,
  seen: readonly Dispute[],
): Promise<Dispute | null> {
  return withTransaction(deps.pool, async (client) => {
    await lockPayment(client, payment);
    const { last, nextId } = lastRound(await readDisputes(client, payment), record.id);
    if (last !== null && !isNews(last, record)) return last;
    if (!isSame(last, lastRound(seen, record.id).last)) return null;
    if (last?.state === "lost") return winAgain(deps, client, payment, record, last);
    const isOpen = last?.state === "open";
    const round = isOpen ? last : await openRound(deps, client, payment, record, nextId);
    return record.state === "lost" ? decided(client, payment, record, round) : round;
  });
}

/** While a bank looks again at a dispute that was lost, what was taken stays taken. */
function isNews({ state }: Dispute, record: DisputeRecord): boolean {
  return state === "lost" ? record.state === "won" : state !== record.state;
}

function isSame(one: Dispute | null, other: Dispute | null): boolean {
  if (one === null || other === null) return one === other;
  return one.id === other.id && one.state === other.state && (one.draws === null) === (other.draws === null);
}

/** The state first, and then the credits: whoever dies between the two leaves what `giveAgainWon` finds. */
async function winAgain(
  { clock }: AdvanceDeps,
  client: pg.PoolClient,
  payment: Payment,
  { id }: DisputeRecord,
  round: Dispute,
): Promise<Dispute> {
  await closeDispute(client, payment, round, { state: "won", now: clock.now() });
  await disputeClosed(client, clock, payment, { id, roundId: round.id, outcome: "won_on_appeal" });
  return { ...round, state: "won" };
}

/** Gives again what was taken for disputes that were won after that. */
export async function giveAgainWon(
  deps: AdvanceDeps,
  payment: Payment,
  rounds: readonly Dispute[],
): Promise<void> {
  for (const won of wonAgain(rounds)) await giveAgain(deps, payment, won, "The dispute was won on appeal");
}

/** How the holds of a round begin: one for each time that something was there to freeze. */
const holdsOf = (roundId: string) => `hold_dispute_${roundId}`;

async function openRound(
  { clock }: AdvanceDeps,
  client: pg.PoolClient,
  payment: Payment,
  { id, amount }: DisputeRecord,
  roundId: string,
): Promise<Dispute> {
  await insertDispute(client, payment, { id: roundId, amount, holdId: holdsOf(roundId) }, clock.now());
  await disputeOpened(client, clock, payment, { id, roundId, amount });
  return { id: roundId, state: "open", draws: null };
}

/** What the disputed money has bought and no refund or other dispute has taken: decided once. */
async function decided(
  client: pg.PoolClient,
  payment: Payment,
  { amount }: DisputeRecord,
  round: Dispute,
): Promise<Dispute> {
  if (round.draws !== null) return round;
  const draws = allocate(payment, await readTaken(client, payment), proportion(payment, amount));
  await keepDisputeDraws(client, payment, round.id, draws);
  return { ...round, draws };
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
  const given = new Set(givenBy(payment, await readTaken(deps.pool, payment)).map(([grantId]) => grantId));
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

/** What work had held of a disputed purchase and gives back belongs to what is frozen; and what was frozen while the
 *  dispute was being won, by a process that died before it saw that, is free again. Returns how often it froze some.
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
  const since = addSeconds(deps.clock.now(), -LATE_SECONDS);
  for (const { accountId, id } of await disputesToRelease(deps.pool, since))
    await Promise.all(await releases(deps, { accountId }, id));
  return count;
}

/** Whoever freezes for a dispute that is being closed has died or seen it long before. */
const LATE_SECONDS = 7 * 86_400;

async function isStillOpen(deps: AdvanceDeps, payment: Payment, disputeId: string): Promise<boolean> {
  const disputes = await readDisputes(deps.pool, payment);
  return disputes.some((known) => known.id === disputeId && known.state === "open");
}

/** Submitted when it returns. Whatever the answers: a hold that is closed needs no release. */
async function releases(
  deps: AdvanceDeps,
  { accountId }: Pick<Payment, "accountId">,
  disputeId: string,
): Promise<Promise<unknown>[]> {
  const holds = await openHolds(deps.pool, accountId, holdsOf(disputeId));
  const note = "The dispute is closed";
  return holds.map(({ id: holdId }) =>
    deps.ledger.submit({ kind: "release", accountId, holdId, by: "system:payments", note }),
  );
}

/** False when others have changed it meanwhile. */
async function close(
  deps: AdvanceDeps,
  payment: Payment,
  record: DisputeRecord,
  round: Dispute,
  state: "won" | "lost",
): Promise<boolean> {
  const { id: roundId, draws } = round;
  // In one go, so that nothing of it can be spent between the two.
  await Promise.all([
    ...(await releases(deps, payment, roundId)),
    revoke(deps, payment, draws ?? [], `dispute:${roundId}`, {
      by: "system:payments",
      note: "The dispute was lost",
    }),
  ]);
  const now = deps.clock.now();
  const isClosed = await withTransaction(deps.pool, async (client) => {
    if (!(await closeDispute(client, payment, round, { state, now }))) return false;
    if (state === "lost") await disableTopUp(client, payment.accountId, "dispute_lost", now);
    else await lookAgain(client, payment.accountId);
    await disputeClosed(client, deps.clock, payment, { id: record.id, roundId, outcome: state });
    return true;
  });
  // What somebody froze before they could see that it is closed.
  await Promise.all(await releases(deps, payment, roundId));
  return isClosed;
}
