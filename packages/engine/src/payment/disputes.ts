import type { GrantId } from "@bursar/contract/ids";
import { addSeconds } from "@bursar/contract/instant";
import { withTransaction } from "@bursar/database/transaction";
import type pg from "pg";
import { disableTopUp, lookAgain } from "../topup/store-policies.ts";
import type { AdvanceDeps } from "./deps.ts";
import { disputeHoldOf, freezeGrant, releases } from "./freeze.ts";
import { disputeClosed, disputeOpened } from "./notices.ts";
import { isGranted, type Payment } from "./payment.ts";
import type { DisputeRecord } from "./payments.ts";
import { giveAgain, revoke } from "./refunds.ts";
import { lastRound } from "./rounds.ts";
import { readPayment } from "./store.ts";
import {
  closeDispute,
  type Dispute,
  disputesToFreeze,
  disputesToRelease,
  insertDispute,
  keepDisputeDraws,
  lockPayment,
  readDisputes,
  readTaken,
  wonAgain,
} from "./store-refunds.ts";
import { allocate, disputeKeyOf, givenBy, LOST, proportion } from "./taken.ts";

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
  else await free(deps, payment, round.id);
  await giveAgainWon(deps, payment, [round]);
  return true;
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

async function openRound(
  { clock }: AdvanceDeps,
  client: pg.PoolClient,
  payment: Payment,
  { id, amount }: DisputeRecord,
  roundId: string,
): Promise<Dispute> {
  await insertDispute(client, payment, { id: roundId, amount, holdId: disputeHoldOf(roundId) }, clock.now());
  await disputeOpened(client, clock, payment, { id, roundId, amount });
  return { id: roundId, amount, state: "open", draws: null };
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

/** What stays frozen is no more than the disputed part. True when there was something to freeze. */
async function freezeRemainder(
  deps: AdvanceDeps,
  payment: Payment,
  { id, amount: disputed }: Pick<DisputeRecord, "id" | "amount">,
): Promise<boolean> {
  const { accountId } = payment;
  const facts = {
    accountId,
    id: disputeHoldOf(id),
    amount: proportion(payment, disputed),
    asked: `dispute ${id}`,
  };
  let hasFrozen = false;
  for (const [grantId] of givenBy(payment, await readTaken(deps.pool, payment)))
    if (await freezeGrant(deps, { ...facts, grantId: grantId as GrantId })) hasFrozen = true;
  if (hasFrozen && !(await isStillOpen(deps, payment, id))) await free(deps, payment, id);
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
    await free(deps, { accountId }, id);
  return count;
}

/** Whoever freezes for a dispute that is being closed has died or seen it long before. */
const LATE_SECONDS = 7 * 86_400;

async function isStillOpen(deps: AdvanceDeps, payment: Payment, disputeId: string): Promise<boolean> {
  const disputes = await readDisputes(deps.pool, payment);
  return disputes.some((known) => known.id === disputeId && known.state === "open");
}

const frozenFor = (deps: AdvanceDeps, { accountId }: Pick<Payment, "accountId">, roundId: string) =>
  releases(deps, accountId, [disputeHoldOf(roundId)], {
    by: "system:payments",
    note: "The dispute is closed",
  });

async function free(...round: Parameters<typeof frozenFor>): Promise<void> {
  const freeAll = await frozenFor(...round);
  await Promise.all(freeAll());
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
  const freeAll = await frozenFor(deps, payment, roundId);
  // In one go, so that nothing of it can be spent between the two.
  await Promise.all([...freeAll(), revoke(deps, payment, draws ?? [], disputeKeyOf(round), LOST)]);
  const now = deps.clock.now();
  const isClosed = await withTransaction(deps.pool, async (client) => {
    if (!(await closeDispute(client, payment, round, { state, now }))) return false;
    if (state === "lost") await disableTopUp(client, payment.accountId, "dispute_lost", now);
    else await lookAgain(client, payment.accountId);
    await disputeClosed(client, deps.clock, payment, { id: record.id, roundId, outcome: state });
    return true;
  });
  // What somebody froze before they could see that it is closed.
  await free(deps, payment, roundId);
  return isClosed;
}
