import type { GrantId } from "@bursar/contract/ids";
import { larger, type MicroCredits, smaller } from "@bursar/contract/money";
import { withTransaction } from "@bursar/database/transaction";
import type pg from "pg";
import type { Deps } from "../deps.ts";
import { counterName } from "../ledger/book.ts";
import { revokedCounter } from "../ledger/caps.ts";
import { readCounters } from "../ledger/store-load.ts";
import { allocate, type Draws, sumOf } from "../payment/taken.ts";
import { stopTopUp } from "../topup/stop.ts";
import { takenFor } from "./decide.ts";
import type { Invoice } from "./store-invoices.ts";
import {
  isOfBefore,
  keepTaking,
  lockInvoice,
  type Reversal,
  readReversals,
  type Taking,
} from "./store-reversals.ts";

type TakingDeps = Pick<Deps, "pool" | "clock">;

interface Month {
  readonly grantId: GrantId;
  /** What it gave, without what expired unused. */
  readonly had: MicroCredits;
}

export function isDecided({ takings }: Reversal, { grantId }: Pick<Month, "grantId">): boolean {
  return takings.has(grantId);
}

/** Once it is known which refunds there were, they count, and not what stood for them. */
function countingOf(known: readonly Reversal[]): readonly Reversal[] {
  const each = known.filter((reversal) => !isOfBefore(reversal));
  return each.length === 0 ? known : each;
}

/** What was taken before refunds were kept one by one belongs to them once they are known; a refund that has failed since
 *  comes last, so that it gives back what no other has taken. */
export function undecidedOf(known: readonly Reversal[], month: Pick<Month, "grantId">): readonly Reversal[] {
  const counting = countingOf(known);
  const hasBefore = counting.length < known.length;
  const undecided = counting.filter((reversal) => !isDecided(reversal, month));
  const failed = undecided.filter(({ kind, state }) => kind === "refund" && state === "returned");
  return [...undecided.filter(({ state }) => state === "taken"), ...(hasBefore ? failed : [])];
}

/** Decides what the reversals take of a month that are not decided yet. All that `known` says is decided has been done.
 *  Returns them all; null: others have decided since `known` was read. Throws: database unreachable. */
export async function decideTakings(
  deps: TakingDeps,
  invoice: Invoice,
  month: Month,
  known: readonly Reversal[],
): Promise<readonly Reversal[] | null> {
  const gone = await revokedOf(deps, invoice, month);
  const states = new Map(known.map(({ id, state }) => [id, state]));
  return withTransaction(deps.pool, async (client) => {
    await lockInvoice(client, invoice);
    const now = await readReversals(client, invoice);
    const countDecided = (all: readonly Reversal[]) => all.filter((one) => isDecided(one, month)).length;
    if (now.length !== known.length || countDecided(now) !== countDecided(known)) return null;
    const foreign = gone - newlyTaken(now, month);
    for (const reversal of undecidedOf(now, month))
      if (states.get(reversal.id) === reversal.state)
        await decideTaking(deps, client, invoice, month, reversal, foreign);
    return readReversals(client, invoice);
  });
}

/** All that was ever revoked of a month's own grant, by whom ever. */
async function revokedOf(
  { pool }: Pick<TakingDeps, "pool">,
  { accountId }: Invoice,
  { grantId }: Month,
): Promise<MicroCredits> {
  const counter = revokedCounter(grantId);
  const counted = await readCounters(pool, [[accountId, counter, "total"]]);
  return counted.get(counterName(counter, "total")) ?? 0n;
}

/** How much the reversals that count take of a month's own grant themselves. */
function newlyTaken(known: readonly Reversal[], { grantId }: Month): MicroCredits {
  const takings = countingOf(known).flatMap(({ takings: by }) => by.get(grantId) ?? []);
  const own = takings.flatMap((taking) => drawsAnew(taking, grantId)).filter(([from]) => from === grantId);
  return sumOf(own);
}

/** `foreign`: what is gone of the month's own grant that no reversal has taken itself. The reversals have it first. */
async function decideTaking(
  { clock }: Pick<TakingDeps, "clock">,
  client: pg.PoolClient,
  invoice: Invoice,
  { grantId, had }: Month,
  reversal: Reversal,
  foreign: MicroCredits,
): Promise<void> {
  const all = await readReversals(client, invoice);
  const decided = (isOfBefore(reversal) ? all : countingOf(all)).flatMap(
    ({ id, state, takings, amount: of }) => {
      const own = takings.get(grantId);
      if (own === undefined) return [];
      return [
        { id: `${id}_${grantId}`, failed: state === "returned", credits: sumOf(own.draws), ...own, of },
      ];
    },
  );
  const standing = decided.filter(({ failed }) => !failed);
  const due = takenFor(had, invoice.amountPaid, standing, reversal.amount);
  const left = larger(foreign - decided.reduce((sum, { already }) => sum + already, 0n), 0n);
  const already = smaller(due, left);
  const isOver = reversal.state === "returned";
  const before: Draws = already === 0n ? [] : [[grantId, already]];
  const taken = { refunds: decided, disputes: [before] };
  const rest = isOver ? [] : allocate({ grantId, credits: had }, taken, due - already);
  const draws = merged(grantId, already, rest);
  await keepTaking(client, invoice, reversal.id, grantId, { draws, already });
  // What was gone before stops nothing now.
  if (already > 0n && rest.length === 0) return;
  await stopTopUp(client, invoice.accountId, sumOf(rest), clock.now());
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
