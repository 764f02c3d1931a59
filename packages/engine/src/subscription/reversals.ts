import type { GrantId, HoldId } from "@bursar/contract/ids";
import type { MicroCredits } from "@bursar/contract/money";
import type { Deps } from "../deps.ts";
import { isExpired } from "../ledger/account.ts";
import { readAccount } from "../ledger/store-load.ts";
import { grantedUnder } from "../ledger/store-read.ts";
import { revoke } from "../payment/refunds.ts";
import { openHolds } from "../payment/store-refunds.ts";
import { type Draws, regrantIdOf, sumOf } from "../payment/taken.ts";
import { issueOnce } from "../quota/issue.ts";
import { expiryOf, graceIdOf, type Instalment, instalment, instalmentsOf, takenOf } from "./decide.ts";
import { freezeGrant, melt, meltAll } from "./freeze.ts";
import type { Invoice } from "./store-invoices.ts";
import { type Reversal, readReversals } from "./store-reversals.ts";
import type { PlanTerms } from "./subscription.ts";
import { decideTakings, drawsAnew, isBegun, undecidedOf } from "./takings.ts";

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
    await freezeMonth(deps, invoice, month);
    // Decided after the freezing: a dispute that was closed meanwhile is not left frozen.
    await settleMonth(deps, invoice, month, await decideMonth(deps, invoice, month));
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
  for (const dispute of await readReversals(deps.pool, invoice))
    if (dispute.state === "open" && (await freezeFor(deps, invoice, month, dispute))) hasFrozen = true;
  return hasFrozen;
}

/** Of the disputed share, what the month's own grant has frozen is not frozen of its grace again. */
async function freezeFor(
  deps: ReversalDeps,
  { accountId, amountPaid }: Invoice,
  month: Month,
  dispute: Reversal,
): Promise<boolean> {
  let hasFrozen = false;
  let amount = takenOf(month.amount, dispute.amount, amountPaid);
  for (const { grantId } of month.grants.toReversed()) {
    const [id, asked] = [holdOf(dispute, grantId), `dispute ${dispute.id}`];
    if (await freezeGrant(deps, { accountId, grantId, id, amount, asked })) hasFrozen = true;
    for (const hold of await openHolds(deps.pool, accountId, id)) amount -= hold.amount;
  }
  return hasFrozen;
}

/** How often others may decide in between before this gives up for now. */
const ATTEMPTS = 10;

/** What every reversal takes of a month: decided where it is not yet. What others learn meanwhile, they decide. */
async function decideMonth(deps: ReversalDeps, invoice: Invoice, month: Month): Promise<readonly Reversal[]> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const known = await readReversals(deps.pool, invoice);
    if (undecidedOf(known, month.grants).length === 0) return known;
    // First what is decided is done: then the ledger's count of what is gone says what others have taken.
    const done = known.filter((reversal) => isBegun(reversal, month.grants));
    await settleMonth(deps, invoice, month, done);
    const closed = known.filter(isClosedDispute);
    const had = await Promise.all(
      month.grants.map(async ({ grantId, amount }) => {
        return { grantId, had: amount - (await unusedOf(deps, invoice, grantId, closed)) };
      }),
    );
    const decided = await decideTakings(deps, invoice, had, known);
    if (decided !== null) return decided;
  }
  throw new Error(`${month.grants[0]?.grantId}: its refunds and disputes change too fast to be decided`);
}

const isClosedDispute = ({ kind, state }: Reversal) => kind === "dispute" && state !== "open";

/** What a grant past its expiry has left unused, also what disputes had frozen: nobody is asked for that. */
async function unusedOf(
  deps: ReversalDeps,
  { accountId }: Invoice,
  grantId: GrantId,
  closed: readonly Reversal[],
): Promise<MicroCredits> {
  const account = await readAccount(deps.pool, accountId);
  const open = account?.grants.find(({ id }) => id === grantId);
  if (open !== undefined && !isExpired(open, deps.clock.now())) return 0n;
  const command = { kind: "expire", accountId, grantId, by: "system:subscription" } as const;
  const first = await deps.ledger.submit(command);
  // Of several grants that ended at once, only the repetition tells what this one had left.
  const outcome = first.kind === "done" ? await deps.ledger.submit(command) : first;
  const unused = outcome.kind === "duplicate" ? outcome.result.expired : 0n;
  const melted = await Promise.all(
    closed.map((dispute) => meltAll(deps, accountId, holdOf(dispute, grantId))),
  );
  return melted.reduce((sum, expired) => sum + expired, unused);
}

async function settleMonth(
  deps: ReversalDeps,
  invoice: Invoice,
  month: Month,
  reversals: readonly Reversal[],
): Promise<void> {
  const { accountId } = invoice;
  const frozen = reversals
    .filter(isClosedDispute)
    .flatMap((dispute) =>
      month.grants.map(({ grantId }) => openHolds(deps.pool, accountId, holdOf(dispute, grantId))),
    );
  const holds = (await Promise.all(frozen)).flat();
  const taking = month.grants.flatMap(({ grantId }) =>
    reversals.flatMap((reversal) => {
      const own = reversal.takings.get(grantId);
      return own === undefined || own.draws.length === 0 ? [] : [{ grantId, reversal, own }];
    }),
  );
  // In one go, so that nothing of it can be spent between the two.
  await Promise.all([
    ...holds.map(({ id }) => melt(deps, accountId, id)),
    ...taking.map(({ grantId, reversal, own }) =>
      take(deps, invoice, grantId, reversal, drawsAnew(own, grantId)),
    ),
  ]);
  for (const { grantId, reversal, own } of taking)
    if (reversal.state === "returned")
      await giveBack(deps, invoice, { grantId, expiresAt: month.expiresAt }, reversal, sumOf(own.draws));
}

async function take(
  deps: ReversalDeps,
  invoice: Invoice,
  grantId: GrantId,
  { id, kind }: Reversal,
  draws: Draws,
): Promise<void> {
  const note = kind === "refund" ? "The invoice was paid back" : "The dispute was lost";
  const told = { by: "system:subscription", note };
  await revoke(deps, invoice, draws, `${kind}:${id}:${grantId}`, told);
}

/** The money came back to us: so do the credits, for as long as the month would have had them, or a month from now. */
async function giveBack(
  deps: ReversalDeps,
  { accountId, id: reference }: Invoice,
  { grantId, expiresAt }: Pick<Instalment, "grantId" | "expiresAt">,
  reversal: Reversal,
  amount: MicroCredits,
): Promise<void> {
  const id = regrantIdOf(`${reversal.id}_${grantId}`) as GrantId;
  const terms = { amount, expiresAt, source: "subscription", by: "system:subscription" } as const;
  await issueOnce(deps, accountId, { id, reference, ...terms });
}
