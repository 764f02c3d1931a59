import type { AccountId, GrantId, HoldId } from "@bursar/contract/ids";
import { type MicroCredits, smaller } from "@bursar/contract/money";
import type { Deps } from "../deps.ts";
import { isExpired } from "../ledger/account.ts";
import { readAccount } from "../ledger/store-load.ts";
import { openHolds } from "../payment/store-refunds.ts";

export interface Freezing {
  readonly accountId: AccountId;
  readonly grantId: GrantId;
  /** The first hold's; what work gives back later is held under numbers after it. */
  readonly id: HoldId;
  /** At most so much, with what is held under the id by now. */
  readonly amount: MicroCredits;
  /** What stays the same from one try to the next. */
  readonly asked: string;
}

type FreezeDeps = Pick<Deps, "ledger" | "pool" | "clock">;

/** More often than the credits can change between looking and holding, when work goes on meanwhile. */
const TRIES = 20;

const numbered = (id: HoldId, number: number) => (number === 0 ? id : (`${id}:${number}` as HoldId));

/** Holds what is left of one grant, without expiry and whatever the account's state. Nothing left is nothing to hold, and
 *  what has expired is nobody's. True when there was something to hold.
 *  Throws: LedgerUnavailable; the credits change too fast to be held. */
export async function freezeGrant(deps: FreezeDeps, freezing: Freezing): Promise<boolean> {
  const { accountId, grantId, asked } = freezing;
  let number = 0;
  for (let tries = 1; ; tries++) {
    const remaining = await remainingOf(deps, freezing);
    if (remaining === 0n) return false;
    // Numbered after what is held at this look: who has seen less finds the number taken, and looks again.
    const holds = await openHolds(deps.pool, accountId, freezing.id);
    const frozen = holds.reduce((sum, hold) => sum + hold.amount, 0n);
    const amount = smaller(remaining, freezing.amount - frozen);
    if (amount <= 0n) return false;
    number = Math.max(number, holds.length);
    const id = numbered(freezing.id, number);
    const outcome = await deps.ledger.submit({
      ...{ kind: "hold", accountId, id, grantId, amount, asked, expiresAt: null, by: "system:payments" },
      note: "A dispute is open",
    });
    if (outcome.kind === "done") return true;
    if (outcome.kind === "duplicate") {
      // It was held and let go: the dispute is closed.
      if (!(await openHolds(deps.pool, accountId, id)).some((hold) => hold.id === id)) return false;
      number++;
    } else if (outcome.kind !== "insufficient_credits" && outcome.kind !== "grant_unknown")
      throw new Error(`${id}: ${outcome.kind} for the rest of a disputed month`);
    if (tries === TRIES) throw new Error(`${id}: the rest of the month changes too fast to freeze`);
  }
}

async function remainingOf(deps: FreezeDeps, { accountId, grantId }: Freezing): Promise<MicroCredits> {
  const account = await readAccount(deps.pool, accountId);
  const grant = account?.grants.find((open) => open.id === grantId);
  return grant === undefined || isExpired(grant, deps.clock.now()) ? 0n : grant.remaining;
}

/** Ends a hold of a dispute. Whatever the answer: one that never was needs no release. null: it never was; else what of
 *  it expired with the grant's own end. */
export async function melt(
  deps: Pick<Deps, "ledger">,
  accountId: AccountId,
  holdId: HoldId,
): Promise<MicroCredits | null> {
  const facts = { accountId, holdId, by: "system:subscription", note: "The dispute is closed" };
  const outcome = await deps.ledger.submit({ kind: "release", ...facts });
  return outcome.kind === "done" || outcome.kind === "duplicate" ? outcome.result.expired : null;
}

/** Ends every hold under the id, now or before. Returns what of them expired with the grant's own end. */
export async function meltAll(
  deps: Pick<Deps, "ledger">,
  accountId: AccountId,
  id: HoldId,
): Promise<MicroCredits> {
  let sum = 0n;
  for (let number = 0; ; number++) {
    const expired = await melt(deps, accountId, numbered(id, number));
    if (expired === null) return sum;
    sum += expired;
  }
}
