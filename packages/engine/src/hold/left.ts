import type { AccountId, HoldId } from "@bursar/contract/ids";
import type { MicroCredits } from "@bursar/contract/money";
import type { Deps } from "../deps.ts";
import { isLate } from "./late.ts";
import { release, settle } from "./settle.ts";
import { holdsNamed } from "./store.ts";

/** Ends holds that a dead process has left open, without waiting for them to expire: each at what it is known to have
 *  cost, else at what was last reported of it, else it is released. Whoever does the same at the same time finds them
 *  closed; and a process that was not dead charges the rest (`settleInFull`).
 *  Throws: LedgerUnavailable, database unreachable. */
export async function closeLeftHolds(
  deps: Pick<Deps, "ledger" | "pool" | "prices">,
  left: {
    readonly accountId: AccountId;
    /** What their ids begin with. */
    readonly prefix: string;
    readonly by: string;
    readonly requestId: string;
    readonly costs?: ReadonlyMap<HoldId, MicroCredits>;
  },
): Promise<void> {
  const { accountId, prefix, by, requestId, costs } = left;
  for (const { id: holdId, reported } of await holdsNamed(deps.pool, accountId, prefix)) {
    if (isLate(holdId)) continue;
    const closing = { accountId, holdId, by, requestId, note: "its process ended before it did" };
    const amount = costs?.get(holdId) ?? reported;
    if (amount === 0n) await release(deps, closing);
    else await settle(deps, { ...closing, cost: { kind: "amount", amount } });
  }
}
