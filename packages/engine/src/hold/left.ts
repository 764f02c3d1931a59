import type { AccountId } from "@bursar/contract/ids";
import type { Deps } from "../deps.ts";
import { release, settle } from "./settle.ts";
import { holdsNamed } from "./store.ts";

/** Ends holds that a dead process has left open, without waiting for them to expire: each at what was last reported of
 *  it, else it is released. Whoever does the same at the same time finds them closed.
 *  Throws: LedgerUnavailable, database unreachable. */
export async function closeLeftHolds(
  deps: Pick<Deps, "ledger" | "pool" | "prices">,
  left: {
    readonly accountId: AccountId;
    /** What their ids begin with. */
    readonly prefix: string;
    readonly by: string;
    readonly requestId: string;
  },
): Promise<void> {
  const { accountId, prefix, by, requestId } = left;
  for (const { id: holdId, reported } of await holdsNamed(deps.pool, accountId, prefix)) {
    const closing = { accountId, holdId, by, requestId, note: "its process ended before it did" };
    if (reported === 0n) await release(deps, closing);
    else await settle(deps, { ...closing, cost: { kind: "amount", amount: reported } });
  }
}
