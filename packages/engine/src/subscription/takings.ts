import type { GrantId } from "@bursar/contract/ids";
import { larger, type MicroCredits, smaller } from "@bursar/contract/money";
import { withTransaction } from "@bursar/database/transaction";
import type pg from "pg";
import type { Deps } from "../deps.ts";
import { counterName } from "../ledger/book.ts";
import { revokedCounter } from "../ledger/caps.ts";
import { readCounters } from "../ledger/store-load.ts";
import { allocate, type Draws, regrantIdOf, sumOf } from "../payment/taken.ts";
import { stopTopUp } from "../topup/stop.ts";
import { graceIdOf, takenFor, takenOf } from "./decide.ts";
import type { Invoice } from "./store-invoices.ts";
import {
  isOfBefore,
  keepMore,
  keepTaking,
  lockInvoice,
  type Reversal,
  readReversals,
  type Taking,
} from "./store-reversals.ts";

type TakingDeps = Pick<Deps, "pool" | "clock">;

/** One of the grants that give a month's credits: its own, and before it the one by which they live on through grace. */
interface Part {
  readonly grantId: GrantId;
  /** What it gave, without what expired unused. */
  readonly had: MicroCredits;
  /** What expired unused of what came again for it, by those grants. */
  readonly unusedAgain: ReadonlyMap<string, MicroCredits>;
}

type Named = Pick<Part, "grantId">;

export function isDecided({ takings }: Reversal, grants: readonly Named[]): boolean {
  return grants.every(({ grantId }) => takings.has(grantId));
}

/** Whether it was before grace, or is decided. */
export function isBegun({ takings }: Reversal, grants: readonly Named[]): boolean {
  return grants.some(({ grantId }) => takings.has(grantId));
}

/** By which grants came again what was taken of these, and how much: for refunds that failed and disputes that were won. */
export function givenAgain(known: readonly Reversal[], grants: readonly Named[]): Draws {
  return grants.flatMap(({ grantId }) =>
    decidedOf(known, grantId)
      .filter(({ failed, credits }) => failed && credits > 0n)
      .map(({ id, credits }) => [regrantIdOf(id), credits] as const),
  );
}

/** Once it is known which refunds there were, they count, and not what stood for them. */
function countingOf(known: readonly Reversal[]): readonly Reversal[] {
  const each = known.filter((reversal) => !isOfBefore(reversal));
  return each.length === 0 ? known : each;
}

/** What was taken before refunds were kept one by one belongs to them once they are known; a refund that has failed since
 *  comes last, so that it gives back what no other has taken. */
export function undecidedOf(known: readonly Reversal[], grants: readonly Named[]): readonly Reversal[] {
  const counting = countingOf(known);
  const hasBefore = counting.length < known.length;
  const taken = counting.filter((one) => one.state === "taken" && !isDecided(one, grants));
  const failed = counting.filter(
    (one) => one.kind === "refund" && one.state === "returned" && !isBegun(one, grants),
  );
  return [...taken, ...(hasBefore ? failed : [])];
}

/** Decides what the reversals take of a month that are not decided yet. All that `known` says is decided has been done.
 *  What was decided before grace gave some of the month's credits again is made up for. Returns them all; null: others
 *  have decided since `known` was read. Throws: database unreachable. */
export async function decideTakings(
  deps: TakingDeps,
  invoice: Invoice,
  month: readonly Part[],
  known: readonly Reversal[],
): Promise<readonly Reversal[] | null> {
  const gone = await revokedOf(deps, invoice, month);
  const states = new Map(known.map(({ id, state }) => [id, state]));
  return withTransaction(deps.pool, async (client) => {
    await lockInvoice(client, invoice);
    const now = await readReversals(client, invoice);
    // Also by whoever has seen a grace that had not begun here.
    const names = [...month, { grantId: graceIdOf(invoice.id) }];
    if (now.length !== known.length || countTakings(now, names) !== countTakings(known, names)) return null;
    const foreign = new Map(
      month.map(({ grantId }) => [grantId, (gone.get(grantId) ?? 0n) - newlyTaken(now, grantId)]),
    );
    for (const reversal of undecidedOf(now, month))
      if (states.get(reversal.id) === reversal.state)
        await decideTaking(deps, client, invoice, month, reversal, foreign);
    // What came again for one that has changed since then may not be there yet.
    if (now.every(({ id, state }) => states.get(id) === state)) await makeUp(client, invoice, month);
    return readReversals(client, invoice);
  });
}

/** Whether a reversal that stands may have less than its share of a month's credits, of which others have had some that
 *  came again since. */
export function mayBeShort(
  known: readonly Reversal[],
  grants: readonly Named[],
  of: { readonly amount: MicroCredits; readonly paid: number },
): boolean {
  if (givenAgain(known, grants).length === 0) return false;
  return countingOf(known).some((one) => one.state === "taken" && shortOf(one, grants, of) > 0n);
}

function shortOf(
  reversal: Reversal,
  grants: readonly Named[],
  { amount, paid }: { readonly amount: MicroCredits; readonly paid: number },
): MicroCredits {
  return takenOf(amount, reversal.amount, paid) - takenOfMonth(reversal, grants);
}

/** More may be paid back than was paid, as where a refund is followed by a lost dispute: what comes last finds little to
 *  take. When what came first fails, or is won, after that, what stands takes the rest of its own of what came again. */
async function makeUp(client: pg.PoolClient, invoice: Invoice, month: readonly Part[]): Promise<void> {
  const of = { amount: hadOf(month), paid: invoice.amountPaid };
  const standing = countingOf(await readReversals(client, invoice)).filter(({ state }) => state === "taken");
  for (const reversal of standing.filter((one) => isDecided(one, month))) {
    let missing = shortOf(reversal, month, of);
    for (const { grantId, unusedAgain } of month) {
      const decided = decidedOf(await readReversals(client, invoice), grantId);
      const taken = { refunds: withoutUnused(decided, unusedAgain), disputes: [] };
      const more = allocate({ grantId, credits: 0n }, taken, missing);
      if (more.length === 0) continue;
      const { draws } = reversal.takings.get(grantId)!;
      await keepMore(client, invoice, reversal.id, grantId, [...draws, ...more]);
      missing -= sumOf(more);
    }
  }
}

function countTakings(known: readonly Reversal[], grants: readonly Named[]): number {
  const ids = new Set(grants.map(({ grantId }) => grantId));
  return known.reduce((sum, { takings }) => sum + [...ids].filter((id) => takings.has(id)).length, 0);
}

/** All that was ever revoked of a month's grants, by whom ever. */
async function revokedOf(
  { pool }: Pick<TakingDeps, "pool">,
  { accountId }: Invoice,
  month: readonly Named[],
): Promise<ReadonlyMap<GrantId, MicroCredits>> {
  const counters = month.map(({ grantId }) => [accountId, revokedCounter(grantId), "total"] as const);
  const counted = await readCounters(pool, counters);
  return new Map(
    month.map(({ grantId }) => [grantId, counted.get(counterName(revokedCounter(grantId), "total")) ?? 0n]),
  );
}

/** How much the reversals that count take of one of a month's grants themselves. */
function newlyTaken(known: readonly Reversal[], grantId: GrantId): MicroCredits {
  const takings = countingOf(known).flatMap(({ takings: by }) => by.get(grantId) ?? []);
  const own = takings.flatMap((taking) => drawsAnew(taking, grantId)).filter(([from]) => from === grantId);
  return sumOf(own);
}

/** `foreign`: what is gone of each of the month's grants that no reversal has taken itself. The reversals have it first,
 *  then what grace gave again, then the rest of the month. */
async function decideTaking(
  { clock }: Pick<TakingDeps, "clock">,
  client: pg.PoolClient,
  invoice: Invoice,
  month: readonly Part[],
  reversal: Reversal,
  foreign: ReadonlyMap<GrantId, MicroCredits>,
): Promise<void> {
  const all = await readReversals(client, invoice);
  const counting = isOfBefore(reversal) ? all : countingOf(all);
  const due = dueOf(invoice, month, reversal, counting);
  const open = month.filter(({ grantId }) => !reversal.takings.has(grantId));
  const parts = alreadyGone(open, counting, foreign, due);
  let missing = due - parts.reduce((sum, { already }) => sum + already, 0n);
  let anew = 0n;
  for (const { grantId, had, unusedAgain, decided, already } of parts) {
    const before: Draws = already === 0n ? [] : [[grantId, already]];
    const taken = { refunds: withoutUnused(decided, unusedAgain), disputes: [before] };
    const rest = reversal.state === "returned" ? [] : allocate({ grantId, credits: had }, taken, missing);
    const draws = merged(grantId, already, rest);
    await keepTaking(client, invoice, reversal.id, grantId, { draws, already });
    missing -= sumOf(rest);
    anew += sumOf(rest);
  }
  // What was gone before, or is made up for with nothing, stops nothing now.
  const isNews = open.length === month.length && parts.every(({ already }) => already === 0n);
  if (anew > 0n || isNews) await stopTopUp(client, invoice.accountId, anew, clock.now());
}

function withoutUnused(decided: ReturnType<typeof decidedOf>, unusedAgain: Part["unusedAgain"]) {
  return decided.map((one) => {
    return { ...one, credits: one.credits - (unusedAgain.get(regrantIdOf(one.id)) ?? 0n) };
  });
}

/** Of each grant, what others have taken of it and no reversal has had yet: it counts first. */
function alreadyGone(
  open: readonly Part[],
  counting: readonly Reversal[],
  foreign: ReadonlyMap<GrantId, MicroCredits>,
  due: MicroCredits,
) {
  let missing = due;
  return open.map((part) => {
    const decided = decidedOf(counting, part.grantId);
    const counted = decided.reduce((sum, taking) => sum + taking.already, 0n);
    const left = larger((foreign.get(part.grantId) ?? 0n) - counted, 0n);
    const already = smaller(missing, left);
    missing -= already;
    return { ...part, decided, already };
  });
}

/** What a reversal is still to take of a month. */
function dueOf(
  invoice: Invoice,
  month: readonly Part[],
  reversal: Reversal,
  counting: readonly Reversal[],
): MicroCredits {
  const had = hadOf(month);
  const standing = counting
    .filter((other) => other.state !== "returned" && isDecided(other, month))
    .map((other) => ({ of: other.amount, credits: takenOfMonth(other, month) }));
  const due = takenFor(had, invoice.amountPaid, standing, reversal.amount);
  return larger(due - takenOfMonth(reversal, month), 0n);
}

/** What the month's grants gave, without what expired unused of them and of what came again for them. */
function hadOf(month: readonly Part[]): MicroCredits {
  return month.reduce((sum, part) => sum + part.had - sumOf([...part.unusedAgain]), 0n);
}

function takenOfMonth({ takings }: Reversal, month: readonly Named[]): MicroCredits {
  return month.reduce((sum, { grantId }) => sum + sumOf(takings.get(grantId)?.draws ?? []), 0n);
}

/** What was taken of one grant, and of what was given again for it. */
function decidedOf(known: readonly Reversal[], grantId: GrantId) {
  return known.flatMap(({ id, state, takings }) => {
    const own = takings.get(grantId);
    if (own === undefined) return [];
    return [{ id: `${id}_${grantId}`, failed: state === "returned", credits: sumOf(own.draws), ...own }];
  });
}

function merged(grantId: GrantId, already: MicroCredits, rest: Draws): Draws {
  if (already === 0n) return rest;
  const own = rest.find(([from]) => from === grantId)?.[1] ?? 0n;
  return [[grantId, already + own], ...rest.filter(([from]) => from !== grantId)];
}

/** What is still to be taken for a reversal. */
export function drawsAnew({ draws, already }: Taking, grantId: GrantId): Draws {
  return draws
    .map(([from, part]): Draws[number] => [from, from === grantId ? part - already : part])
    .filter(([, part]) => part > 0n);
}
