import type { GrantId, HoldId } from "@bursar/contract/ids";
import type { MicroCredits } from "@bursar/contract/money";
import { withTransaction } from "@bursar/database/transaction";
import type pg from "pg";
import type { Deps } from "../deps.ts";
import { isExpired } from "../ledger/account.ts";
import { readAccount } from "../ledger/store-load.ts";
import { revoke } from "../payment/refunds.ts";
import { allocate, type Draws, regrantIdOf, sumOf } from "../payment/taken.ts";
import { issueOnce } from "../quota/issue.ts";
import { stopTopUp } from "../topup/stop.ts";
import { expiryOf, type Instalment, instalment, takenFor, takenOf } from "./decide.ts";
import { freezeGrant } from "./freeze.ts";
import type { Invoice } from "./store-invoices.ts";
import { keepDraws, lockInvoice, type Reversal, readReversals } from "./store-reversals.ts";
import type { PlanTerms } from "./subscription.ts";

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
  const known = await readReversals(deps.pool, invoice);
  for (let index = 0; known.length > 0 && index < months; index++) {
    const expiresAt = expiryOf(invoice, terms, index, deps.clock.now());
    const month = { ...instalment(invoice, terms, index), expiresAt };
    for (const reversal of known) if (reversal.state === "open") await freeze(deps, invoice, month, reversal);
    // Decided after the freezing: a dispute that was closed meanwhile is not left frozen.
    await settleMonth(deps, invoice, month, await decideMonth(deps, invoice, month));
  }
}

const holdOf = (reversal: Reversal, { grantId }: Month) => `hold_dispute_${reversal.id}_${grantId}` as HoldId;

async function freeze(deps: ReversalDeps, invoice: Invoice, month: Month, dispute: Reversal): Promise<void> {
  await freezeGrant(deps, {
    accountId: invoice.accountId,
    grantId: month.grantId,
    id: holdOf(dispute, month),
    amount: takenOf(month.amount, dispute.amount, invoice.amountPaid),
    asked: `dispute ${dispute.id}`,
  });
}

/** What every reversal takes of a month: decided where it is not yet. What others learn meanwhile, they decide. */
async function decideMonth(deps: ReversalDeps, invoice: Invoice, month: Month): Promise<readonly Reversal[]> {
  const known = await readReversals(deps.pool, invoice);
  const had = month.amount - (await unusedOf(deps, invoice, month, known.filter(isClosedDispute)));
  const taken = new Set(known.filter(({ state }) => state === "taken").map(({ id }) => id));
  return withTransaction(deps.pool, async (client) => {
    await lockInvoice(client, invoice);
    const undecided = (await readReversals(client, invoice)).filter(
      ({ id, state, draws }) => state === "taken" && taken.has(id) && !draws.has(month.grantId),
    );
    for (const reversal of undecided)
      await decideDraws(deps, client, invoice, { ...month, amount: had }, reversal);
    return readReversals(client, invoice);
  });
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
  const melted = await Promise.all(closed.map((dispute) => melt(deps, invoice, holdOf(dispute, month))));
  return melted.reduce((sum, expired) => sum + expired, unused);
}

async function decideDraws(
  deps: Pick<ReversalDeps, "clock">,
  client: pg.PoolClient,
  invoice: Invoice,
  { grantId, amount }: Month,
  reversal: Reversal,
): Promise<void> {
  const decided = (await readReversals(client, invoice)).flatMap(({ id, state, draws, amount: of }) => {
    const own = draws.get(grantId);
    if (own === undefined) return [];
    return [{ id: `${id}_${grantId}`, failed: state === "returned", credits: sumOf(own), draws: own, of }];
  });
  const standing = decided.filter(({ failed }) => !failed);
  const due = takenFor(amount, invoice.amountPaid, standing, reversal.amount);
  const draws = allocate({ grantId, credits: amount }, { refunds: decided, disputes: [] }, due);
  await keepDraws(client, invoice, reversal.id, grantId, draws);
  await stopTopUp(client, invoice.accountId, sumOf(draws), deps.clock.now());
}

async function settleMonth(
  deps: ReversalDeps,
  invoice: Invoice,
  month: Month,
  reversals: readonly Reversal[],
): Promise<void> {
  const closed = reversals.filter(isClosedDispute);
  const taking = reversals.flatMap((reversal) => {
    const draws = reversal.draws.get(month.grantId) ?? [];
    return draws.length === 0 ? [] : [{ reversal, draws }];
  });
  // In one go, so that nothing of it can be spent between the two.
  await Promise.all([
    ...closed.map((reversal) => melt(deps, invoice, holdOf(reversal, month))),
    ...taking.map(({ reversal, draws }) => take(deps, invoice, month, reversal, draws)),
  ]);
  for (const { reversal, draws } of taking)
    if (reversal.state === "returned") await giveBack(deps, invoice, month, reversal, sumOf(draws));
}

/** Whatever the answer: a hold that never was needs no release. Returns what of it expired with the grant's own end. */
async function melt(deps: ReversalDeps, { accountId }: Invoice, holdId: HoldId): Promise<MicroCredits> {
  const facts = { accountId, holdId, by: "system:subscription", note: "The dispute is closed" };
  const outcome = await deps.ledger.submit({ kind: "release", ...facts });
  return outcome.kind === "done" || outcome.kind === "duplicate" ? outcome.result.expired : 0n;
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
