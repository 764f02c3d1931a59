import type { AccountId, GrantId, HoldId } from "@bursar/contract/ids";
import { type MicroCredits, smaller } from "@bursar/contract/money";
import type { Deps } from "../deps.ts";
import { isExpired } from "../ledger/account.ts";
import { readAccount } from "../ledger/store-load.ts";

export interface Freezing {
  readonly accountId: AccountId;
  readonly grantId: GrantId;
  /** The hold's, which is asked for again and again until it is there. */
  readonly id: HoldId;
  /** At most so much. */
  readonly amount: MicroCredits;
  /** What stays the same from one try to the next. */
  readonly asked: string;
}

/** More often than the credits can change between looking and holding, when work goes on meanwhile. */
const TRIES = 20;

/** Holds what is left of one grant, without expiry and whatever the account's state. Nothing left is nothing to hold, and
 *  what has expired is nobody's.
 *  Throws: LedgerUnavailable; the credits change too fast to be held. */
export async function freezeGrant(
  deps: Pick<Deps, "ledger" | "pool" | "clock">,
  freezing: Freezing,
): Promise<void> {
  const { accountId, grantId, id, asked } = freezing;
  for (let tries = 1; ; tries++) {
    const account = await readAccount(deps.pool, accountId);
    const grant = account?.grants.find((open) => open.id === grantId);
    const isOver = grant === undefined || isExpired(grant, deps.clock.now());
    const remaining = isOver ? 0n : grant.remaining;
    const amount = smaller(remaining, freezing.amount);
    if (amount === 0n) return;
    const outcome = await deps.ledger.submit({
      ...{ kind: "hold", accountId, id, grantId, amount, asked, expiresAt: null, by: "system:payments" },
      note: "A dispute is open",
    });
    if (outcome.kind === "done" || outcome.kind === "duplicate") return;
    if (outcome.kind !== "insufficient_credits" && outcome.kind !== "grant_unknown")
      throw new Error(`${id}: ${outcome.kind} for the rest of a disputed month`);
    if (tries === TRIES) throw new Error(`${id}: the rest of the month changes too fast to freeze`);
  }
}
