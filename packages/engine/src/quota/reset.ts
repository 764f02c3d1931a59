import type { AccountId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type { Deps } from "../deps.ts";
import { dueReset } from "./decide.ts";
import { issueOnce, liveOn } from "./issue.ts";
import { findQuota, markReset } from "./store.ts";

export type ResetDeps = Pick<Deps, "ledger" | "pool" | "clock" | "log">;

export type ResetOutcome =
  | { readonly kind: "no_quota" }
  | { readonly kind: "not_due"; readonly nextResetAt: Instant }
  | {
      readonly kind: "reset";
      readonly granted: MicroCredits;
      readonly rolledOver: MicroCredits;
      readonly nextResetAt: Instant;
    };

/** Issues the current cycle's credits if that has not been done: once, whoever asks, however often, in any number of
 *  processes. Cheap while nothing is due: one row is read. Purchased credits are never touched.
 *  Units: micro-credits. Outcomes: no_quota, not_due, reset. Throws: LedgerUnavailable, database unreachable; asking
 *  again goes on where it stopped. Decision: 0016. */
export async function resetIfDue(deps: ResetDeps, accountId: AccountId): Promise<ResetOutcome> {
  const quota = await findQuota(deps.pool, accountId);
  if (quota === null) return { kind: "no_quota" };
  const due = dueReset(quota, deps.clock.now());
  if (due === null) return { kind: "not_due", nextResetAt: quota.nextResetAt };
  const rolled = due.ended === null ? 0n : await liveOn(deps, accountId, { ...due.ended, ...FREE });
  const { cycle, grantId: id, amount } = due;
  const nextResetAt = cycle.end;
  const granted = await issueOnce(deps, accountId, { ...FREE, id, amount, expiresAt: nextResetAt });
  // Last: whoever dies before it leaves a reset that is due, and repeats the same grants under the same ids.
  await markReset(deps.pool, quota, { cycle: cycle.index, nextResetAt });
  return { kind: "reset", granted, rolledOver: rolled, nextResetAt };
}

const FREE = { source: "free", by: "system:quota" } as const;
