import type { AccountId, GrantId, HoldId } from "@bursar/contract/ids";
import type { MicroCredits } from "@bursar/contract/money";
import type { Deps } from "../deps.ts";
import { isExpired } from "../ledger/account.ts";
import { readAccount } from "../ledger/store-load.ts";
import { expiredOf, grantedUnder, isDone } from "../ledger/store-read.ts";
import { freezeGrant, releases } from "../payment/freeze.ts";
import { revoke } from "../payment/refunds.ts";
import { openHolds } from "../payment/store-refunds.ts";
import { type Draws, drawKeyOf, regrantIdOf, sumOf } from "../payment/taken.ts";
import { issueOnce } from "../quota/issue.ts";
import {
  expiryAgain,
  expiryOf,
  graceIdOf,
  type Instalment,
  instalment,
  instalmentsOf,
  takenOf,
} from "./decide.ts";
import type { Invoice } from "./store-invoices.ts";
import { type Reversal, readReversals } from "./store-reversals.ts";
import type { PlanTerms } from "./subscription.ts";
import { decideTakings, drawsAnew, givenAgain, isBegun, mayBeShort, undecidedOf } from "./takings.ts";

type ReversalDeps = Pick<Deps, "ledger" | "pool" | "clock" | "log">;

interface Month extends Pick<Instalment, "amount" | "expiresAt"> {
  /** The grants that give its credits, and what each gave: its own, and before it the one by which what was unused of it
   *  lives on through grace. */
  readonly grants: readonly Pick<Instalment, "grantId" | "amount">[];
}

/** Brings the credits of an invoice's months to where its refunds and disputes put them: a dispute freezes what is left
 *  of each; what is paid back or lost takes its share of each, first what is left, and what is spent becomes debt; a
 *  refund that failed gives back exactly what it took. What each takes of each month is decided once, under a lock: any
 *  number of times, in any order, to one effect. Throws: LedgerUnavailable, database unreachable. */
export async function settleReversals(
  deps: ReversalDeps,
  invoice: Invoice,
  terms: PlanTerms,
  months: number,
): Promise<void> {
  if ((await readReversals(deps.pool, invoice)).length === 0) return;
  for (const month of await monthsOf(deps, invoice, terms, months)) {
    await settleMonth(deps, invoice, month, await decideMonth(deps, invoice, month));
    // Last: what came again just now, too.
    await freezeMonth(deps, invoice, month);
  }
}

/** Freezes what is free of the months of an invoice that is disputed. True when there was something. */
export async function freezeMonths(
  deps: ReversalDeps,
  invoice: Invoice,
  terms: PlanTerms,
  months: number,
): Promise<boolean> {
  let hasFrozen = false;
  for (const month of await monthsOf(deps, invoice, terms, months))
    if (await freezeMonth(deps, invoice, month)) hasFrozen = true;
  return hasFrozen;
}

async function monthsOf(
  { clock, pool }: Pick<ReversalDeps, "clock" | "pool">,
  invoice: Invoice,
  terms: PlanTerms,
  count: number,
): Promise<Month[]> {
  const graceId = graceIdOf(invoice.id);
  const given = await grantedUnder(pool, invoice.accountId, graceId);
  const last = instalmentsOf(invoice, terms) - 1;
  return Array.from({ length: count }, (_, index) => {
    const expiresAt = expiryOf(invoice, terms, index, clock.now());
    const own = instalment(invoice, terms, index);
    const livesOn = index === last && given !== null ? [{ grantId: graceId, amount: given }] : [];
    return { amount: own.amount, expiresAt, grants: [...livesOn, own] };
  });
}

const holdOf = (reversal: Reversal, grantId: GrantId) => `hold_dispute_${reversal.id}_${grantId}` as HoldId;

async function freezeMonth(deps: ReversalDeps, invoice: Invoice, month: Month): Promise<boolean> {
  let hasFrozen = false;
  const known = await readReversals(deps.pool, invoice);
  for (const dispute of known.filter(isOpen))
    if (await freezeFor(deps, invoice, month, dispute, known)) hasFrozen = true;
  // A dispute that was closed meanwhile is not left frozen.
  if (hasFrozen) {
    const free = await freeing(deps, invoice, month, await readReversals(deps.pool, invoice));
    await Promise.all(free());
  }
  return hasFrozen;
}

/** All that gives the month's credits: the oldest first. */
const givingOf = ({ grants }: Month, known: readonly Reversal[]): readonly GrantId[] => [
  ...grants.toReversed().map(({ grantId }) => grantId),
  ...givenAgain(known, grants).map(([grantId]) => grantId as GrantId),
];

/** Of the disputed share, what one grant has frozen is not frozen of another again. */
async function freezeFor(
  deps: ReversalDeps,
  { accountId, amountPaid }: Invoice,
  month: Month,
  dispute: Reversal,
  known: readonly Reversal[],
): Promise<boolean> {
  const share = takenOf(month.amount, dispute.amount, amountPaid);
  const asked = `dispute ${dispute.id}`;
  let hasFrozen = false;
  for (const grantId of givingOf(month, known)) {
    const id = holdOf(dispute, grantId);
    const others = givingOf(month, known).filter((other) => other !== grantId);
    const elsewhere = await frozenOf(deps, accountId, dispute, others);
    const facts = { accountId, grantId, id, amount: share - elsewhere, asked };
    if (await freezeGrant(deps, facts)) hasFrozen = true;
  }
  return hasFrozen;
}

async function frozenOf(
  { pool }: ReversalDeps,
  accountId: AccountId,
  dispute: Reversal,
  grantIds: readonly GrantId[],
): Promise<MicroCredits> {
  const holds = await Promise.all(
    grantIds.map((grantId) => openHolds(pool, accountId, holdOf(dispute, grantId))),
  );
  return holds.flat().reduce((sum, { amount }) => sum + amount, 0n);
}

/** How often others may decide in between before this gives up for now. */
const ATTEMPTS = 10;

/** What every reversal takes of a month: decided where it is not yet. What others learn meanwhile, they decide. */
async function decideMonth(deps: ReversalDeps, invoice: Invoice, month: Month): Promise<readonly Reversal[]> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const known = await readReversals(deps.pool, invoice);
    const isShort = mayBeShort(known, month.grants, { amount: month.amount, paid: invoice.amountPaid });
    if (undecidedOf(known, month.grants).length === 0 && !isShort) return known;
    // First what is decided is done: then the ledger's count of what is gone says what others have taken.
    const done = known.filter((reversal) => isBegun(reversal, month.grants));
    await settleMonth(deps, invoice, month, done);
    const unusedOf = (grantId: string) => unusedPast(deps, invoice, grantId as GrantId, known);
    const had = await Promise.all(
      month.grants.map(async (part) => {
        const again = givenAgain(known, [part]).map(async ([id]) => [id, await unusedOf(id)] as const);
        const had = part.amount - (await unusedOf(part.grantId));
        return { grantId: part.grantId, had, unusedAgain: new Map(await Promise.all(again)) };
      }),
    );
    const decided = await decideTakings(deps, invoice, had, known);
    if (decided !== null) return decided;
  }
  throw new Error(`${month.grants[0]?.grantId}: its refunds and disputes change too fast to be decided`);
}

const isOpen = ({ state }: Reversal) => state === "open";
const TAKEN_FROM = { by: "system:subscription", note: "A part is taken back; the rest is frozen again" };
const CLOSED = { by: "system:subscription", note: "The dispute is closed" };

/** What a grant past its expiry has left unused, also what disputes had frozen, and what work has given back since: nobody
 *  is asked for that. */
async function unusedPast(
  deps: ReversalDeps,
  { accountId }: Invoice,
  grantId: GrantId,
  known: readonly Reversal[],
): Promise<MicroCredits> {
  const account = await readAccount(deps.pool, accountId);
  const open = account?.grants.find(({ id }) => id === grantId);
  if (open !== undefined && !isExpired(open, deps.clock.now())) return 0n;
  await deps.ledger.submit({ kind: "expire", accountId, grantId, by: "system:subscription" });
  const disputes = known.filter(({ kind }) => kind === "dispute");
  const frozen = disputes.map((dispute) => holdOf(dispute, grantId));
  const free = await releases(deps, accountId, frozen, CLOSED);
  await Promise.all(free());
  return expiredOf(deps.pool, accountId, grantId);
}

async function settleMonth(
  deps: ReversalDeps,
  invoice: Invoice,
  month: Month,
  reversals: readonly Reversal[],
): Promise<void> {
  const taking = month.grants.flatMap(({ grantId }) =>
    reversals.flatMap((reversal) => {
      const own = reversal.takings.get(grantId);
      return own === undefined || own.draws.length === 0 ? [] : [{ grantId, reversal, own }];
    }),
  );
  const anew = taking.map((one) => ({ ...one, draws: drawsAnew(one.own, one.grantId) }));
  // What is to be taken now may be frozen for another dispute, and nothing else pays for it.
  const isFreed = await hasNews(deps, invoice, anew);
  const free = await freeing(deps, invoice, month, reversals, isFreed);
  // In one go, so that nothing of it can be spent between the two.
  await Promise.all([
    ...free(),
    ...anew.map(({ grantId, reversal, draws }) => take(deps, invoice, grantId, reversal, draws)),
  ]);
  for (const { grantId, reversal, own } of taking)
    if (reversal.state === "returned")
      await giveBack(deps, invoice, { grantId, expiresAt: month.expiresAt }, reversal, sumOf(own.draws));
}

/** Whether something is decided and not taken yet. */
async function hasNews(
  { pool }: Pick<ReversalDeps, "pool">,
  { accountId }: Invoice,
  takings: readonly { readonly reversal: Reversal; readonly grantId: GrantId; readonly draws: Draws }[],
): Promise<boolean> {
  for (const { reversal, grantId, draws } of takings)
    for (const [index] of draws.entries())
      if (!(await isDone(pool, accountId, drawKeyOf(takingKey(reversal, grantId), index)))) return true;
  return false;
}

/** Finds what closed disputes, or all, have frozen of a month. What it returns frees it. */
async function freeing(
  deps: ReversalDeps,
  { accountId }: Invoice,
  month: Month,
  known: readonly Reversal[],
  ofAll = false,
): Promise<() => Promise<unknown>[]> {
  const ended = known.filter((one) => one.kind === "dispute" && (ofAll || !isOpen(one)));
  const why = ofAll ? TAKEN_FROM : CLOSED;
  const giving = givingOf(month, known);
  const frozen = ended.flatMap((dispute) => giving.map((grantId) => holdOf(dispute, grantId)));
  return releases(deps, accountId, frozen, why);
}

const takingKey = ({ kind, id }: Reversal, grantId: GrantId) => `${kind}:${id}:${grantId}`;

async function take(
  deps: ReversalDeps,
  invoice: Invoice,
  grantId: GrantId,
  reversal: Reversal,
  draws: Draws,
): Promise<void> {
  const note = reversal.kind === "refund" ? "The invoice was paid back" : "The dispute was lost";
  const told = { by: "system:subscription", note };
  await revoke(deps, invoice, draws, takingKey(reversal, grantId), told);
}

/** The money came back to us: so do the credits. */
async function giveBack(
  deps: ReversalDeps,
  { accountId, id: reference }: Invoice,
  { grantId, expiresAt }: Pick<Instalment, "grantId" | "expiresAt">,
  reversal: Reversal,
  amount: MicroCredits,
): Promise<void> {
  const id = regrantIdOf(`${reversal.id}_${grantId}`) as GrantId;
  const terms = {
    amount,
    expiresAt: expiryAgain(expiresAt, deps.clock.now()),
    source: "subscription",
    by: "system:subscription",
  } as const;
  await issueOnce(deps, accountId, { id, reference, ...terms });
}
