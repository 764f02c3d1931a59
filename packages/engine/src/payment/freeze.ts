import type { AccountId, GrantId, HoldId } from "@bursar/contract/ids";
import { type MicroCredits, smaller } from "@bursar/contract/money";
import type { Deps } from "../deps.ts";
import { isExpired } from "../ledger/account.ts";
import { readAccount } from "../ledger/store-load.ts";
import { openHolds } from "./store-refunds.ts";

export interface Freezing {
  readonly accountId: AccountId;
  readonly grantId: GrantId;
  /** The first hold's; what is held later is held under numbers after it. */
  readonly id: HoldId;
  /** At most so much, with what is held under the id by now. */
  readonly amount: MicroCredits;
  /** What stays the same from one try to the next. */
  readonly asked: string;
}

/** What a round of a dispute holds of a purchase. */
export const disputeHoldOf = (roundId: string) => `hold_dispute_${roundId}` as HoldId;

/** More often than the credits can change between looking and holding, when work goes on meanwhile. */
const TRIES = 20;

const numbered = (id: HoldId, number: number) => (number === 0 ? id : (`${id}:${number}` as HoldId));

/** Holds what is left of one grant, without expiry and whatever the account's state. Nothing left is nothing to hold, and
 *  what has expired is nobody's. True when there was something to hold: whoever asked looks then whether its dispute is
 *  still open. Throws: LedgerUnavailable; the credits change too fast to be held. */
export async function freezeGrant(
  deps: Pick<Deps, "ledger" | "pool" | "clock">,
  freezing: Freezing,
): Promise<boolean> {
  const { accountId, grantId, asked } = freezing;
  let number = 0;
  for (let tries = 0; tries < TRIES; ) {
    const remaining = await remainingOf(deps, freezing);
    const holds = await openHolds(deps.pool, accountId, freezing.id);
    const frozen = holds.reduce((sum, hold) => sum + hold.amount, 0n);
    const amount = smaller(remaining, freezing.amount - frozen);
    if (amount <= 0n) return false;
    // Numbered after what is held at this look: who has seen less finds the number taken, and looks again.
    number = Math.max(number, holds.length);
    const id = numbered(freezing.id, number);
    const outcome = await deps.ledger.submit({
      ...{ kind: "hold", accountId, id, grantId, amount, asked, expiresAt: null, by: "system:payments" },
      note: "A dispute is open",
    });
    if (outcome.kind === "done") return true;
    // Taken by somebody else, held once and let go, or held of another grant.
    if (outcome.kind === "duplicate" || outcome.kind === "key_conflict") number++;
    else if (outcome.kind === "insufficient_credits" || outcome.kind === "grant_unknown") tries++;
    else throw new Error(`${id}: ${outcome.kind} for the rest of what is disputed`);
  }
  throw new Error(`${freezing.id}: the rest of what is disputed changes too fast to freeze`);
}

async function remainingOf(
  deps: Pick<Deps, "pool" | "clock">,
  { accountId, grantId }: Freezing,
): Promise<MicroCredits> {
  const account = await readAccount(deps.pool, accountId);
  const grant = account?.grants.find((open) => open.id === grantId);
  return grant === undefined || isExpired(grant, deps.clock.now()) ? 0n : grant.remaining;
}

interface Why {
  readonly by: string;
  readonly note: string;
}

/** Finds what is held under the ids and what their own begin with. What it returns frees all of that at once: with what
 *  is submitted right after it, before anything is awaited, the ledger does it in one transaction, unless so many wait
 *  that their batch is divided just there. Whatever the answers: a hold that is closed needs no release. */
export async function releases(
  deps: Pick<Deps, "pool" | "ledger">,
  accountId: AccountId,
  ids: readonly HoldId[],
  why: Why,
): Promise<() => Promise<unknown>[]> {
  const holds = (await Promise.all(ids.map((id) => openHolds(deps.pool, accountId, id)))).flat();
  return () =>
    holds.map((hold) => deps.ledger.submit({ kind: "release", accountId, holdId: hold.id, ...why }));
}
