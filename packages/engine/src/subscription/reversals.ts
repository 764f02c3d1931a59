import type { GrantId, HoldId } from "@bursar/contract/ids";
import type { MicroCredits } from "@bursar/contract/money";
import type { Deps } from "../deps.ts";
import { isExpired } from "../ledger/account.ts";
import { readAccount } from "../ledger/store-load.ts";
import { revoke } from "../payment/refunds.ts";
import { openHolds } from "../payment/store-refunds.ts";
import { type Draws, regrantIdOf, sumOf } from "../payment/taken.ts";
import { issueOnce } from "../quota/issue.ts";
import { expiryOf, type Instalment, instalment, takenOf } from "./decide.ts";
import { freezeGrant, melt, meltAll } from "./freeze.ts";
import type { Invoice } from "./store-invoices.ts";
import { type Reversal, readReversals } from "./store-reversals.ts";
import type { PlanTerms } from "./subscription.ts";
import { decideTakings, drawsAnew, isDecided, undecidedOf } from "./takings.ts";

type ReversalDeps = Pick<Deps, "ledger" | "pool" | "clock" | "log">;
type Month = Pick<Instalment, "grantId" | "amount" | "expiresAt">;

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
  for (const month of monthsOf(deps, invoice, terms, months)) {
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
  for (const month of monthsOf(deps, invoice, terms, months))
    if (await freezeMonth(deps, invoice, month)) hasFrozen = true;
  return hasFrozen;
}

function monthsOf(
  { clock }: Pick<ReversalDeps, "clock">,
  invoice: Invoice,
  terms: PlanTerms,
  count: number,
): Month[] {
  return Array.from({ length: count }, (_, index) => {
    const expiresAt = expiryOf(invoice, terms, index, clock.now());
    return { ...instalment(invoice, terms, index), expiresAt };
  });
}

const holdOf = (reversal: Reversal, { grantId }: Month) => `hold_dispute_${reversal.id}_${grantId}` as HoldId;

async function freezeMonth(deps: ReversalDeps, invoice: Invoice, month: Month): Promise<boolean> {
  let hasFrozen = false;
  for (const dispute of await readReversals(deps.pool, invoice)) {
    if (dispute.state !== "open") continue;
    const { accountId, amountPaid } = invoice;
    const [id, asked] = [holdOf(dispute, month), `dispute ${dispute.id}`];
    const amount = takenOf(month.amount, dispute.amount, amountPaid);
    if (await freezeGrant(deps, { accountId, grantId: month.grantId, id, amount, asked })) hasFrozen = true;
  }
  return hasFrozen;
}

/** How often others may decide in between before this gives up for now. */
const ATTEMPTS = 10;

/** What every reversal takes of a month: decided where it is not yet. What others learn meanwhile, they decide. */
async function decideMonth(deps: ReversalDeps, invoice: Invoice, month: Month): Promise<readonly Reversal[]> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const known = await readReversals(deps.pool, invoice);
    if (undecidedOf(known, month).length === 0) return known;
    // First what is decided is done: then the ledger's count of what is gone says what others have taken.
    const done = known.filter((reversal) => isDecided(reversal, month));
    await settleMonth(deps, invoice, month, done);
    const had = month.amount - (await unusedOf(deps, invoice, month, known.filter(isClosedDispute)));
    const decided = await decideTakings(deps, invoice, { grantId: month.grantId, had }, known);
    if (decided !== null) return decided;
  }
  throw new Error(`${month.grantId}: its refunds and disputes change too fast to be decided`);
}

const isClosedDispute = ({ kind, state }: Reversal) => kind === "dispute" && state !== "open";

/** What a month past its expiry has left unused, also what disputes had frozen: nobody is asked for that. */
async function unusedOf(
  deps: ReversalDeps,
  invoice: Invoice,
  month: Month,
  closed: readonly Reversal[],
): Promise<MicroCredits> {
  const { accountId } = invoice;
  const { grantId } = month;
  const account = await readAccount(deps.pool, accountId);
  const open = account?.grants.find(({ id }) => id === grantId);
  if (open !== undefined && !isExpired(open, deps.clock.now())) return 0n;
  const command = { kind: "expire", accountId, grantId, by: "system:subscription" } as const;
  const first = await deps.ledger.submit(command);
  // Of several grants that ended at once, only the repetition tells what this one had left.
  const outcome = first.kind === "done" ? await deps.ledger.submit(command) : first;
  const unused = outcome.kind === "duplicate" ? outcome.result.expired : 0n;
  const melted = await Promise.all(closed.map((dispute) => meltAll(deps, accountId, holdOf(dispute, month))));
  return melted.reduce((sum, expired) => sum + expired, unused);
}

async function settleMonth(
  deps: ReversalDeps,
  invoice: Invoice,
  month: Month,
  reversals: readonly Reversal[],
): Promise<void> {
  const { accountId } = invoice;
  const closed = reversals.filter(isClosedDispute);
  const holds = closed.map((reversal) => openHolds(deps.pool, accountId, holdOf(reversal, month)));
  const frozen = (await Promise.all(holds)).flat();
  const taking = reversals.flatMap((reversal) => {
    const own = reversal.takings.get(month.grantId);
    return own === undefined || own.draws.length === 0 ? [] : [{ reversal, own }];
  });
  // In one go, so that nothing of it can be spent between the two.
  await Promise.all([
    ...frozen.map(({ id }) => melt(deps, accountId, id)),
    ...taking.map(({ reversal, own }) => take(deps, invoice, month, reversal, drawsAnew(own, month.grantId))),
  ]);
  for (const { reversal, own } of taking)
    if (reversal.state === "returned") await giveBack(deps, invoice, month, reversal, sumOf(own.draws));
}

async function take(
  deps: ReversalDeps,
  invoice: Invoice,
  { grantId }: Month,
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
  { grantId, expiresAt }: Month,
  reversal: Reversal,
  amount: MicroCredits,
): Promise<void> {
  const id = regrantIdOf(`${reversal.id}_${grantId}`) as GrantId;
  const terms = { amount, expiresAt, source: "subscription", by: "system:subscription" } as const;
  await issueOnce(deps, accountId, { id, reference, ...terms });
}
