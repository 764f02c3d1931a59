import type { AccountId } from "@bursar/contract/ids";
import { addSeconds, type Instant } from "@bursar/contract/instant";
import type { GatePorts } from "../gate/ports.ts";
import { cycleOf } from "./decide.ts";
import { type ResetDeps, resetIfDue } from "./reset.ts";
import { findQuota } from "./store.ts";

const REMEMBERED = 50_000;
/** An account without a quota may get one, which issues its first cycle itself. */
const LOOK_AGAIN_SECONDS = 3600;

/** The gate's view of monthly quotas. Remembers until when nothing can be due, so that a call costs no read. */
export function openQuotaGate(deps: ResetDeps): NonNullable<GatePorts["quota"]> {
  const quietUntil = new Map<AccountId, Instant>();
  return {
    resetIfDue: async (accountId) => {
      const now = deps.clock.now();
      if (now < (quietUntil.get(accountId) ?? 0)) return;
      const outcome = await resetIfDue(deps, accountId);
      if (quietUntil.size >= REMEMBERED) quietUntil.clear();
      const until = outcome.kind === "no_quota" ? addSeconds(now, LOOK_AGAIN_SECONDS) : outcome.nextResetAt;
      quietUntil.set(accountId, until);
    },
    cycleOf: async (accountId) => {
      const quota = await findQuota(deps.pool, accountId);
      if (quota === null || quota.issuedCycle === null) return null;
      const { start, end } = cycleOf(quota, quota.issuedCycle);
      return { startedAt: start, nextResetAt: end };
    },
  };
}
