import type { AccountId } from "@bursar/contract/ids";
import { addSeconds } from "@bursar/contract/instant";
import { credits, iso } from "@bursar/contract/shapes";
import { balance } from "@bursar/engine/balance/balance";
import type { GateDeps } from "@bursar/engine/gate/chain";
import { usageBetween } from "@bursar/engine/usage/store";

const USUAL_PERIOD_SECONDS = 30 * 86_400;

/** What clients are told of an account after work: used, left, from where, and when more comes. Reading it never
 *  charges, resets or tops up anything. */
export async function usageOf(deps: GateDeps, accountId: AccountId, added = 0n) {
  const now = deps.clock.now();
  const [found, cycle] = await Promise.all([balance(deps, accountId), deps.gate.quota?.cycleOf(accountId)]);
  const from = cycle?.startedAt ?? addSeconds(now, -USUAL_PERIOD_SECONDS);
  // To the end of this instant: what was used just now counts.
  const asked = { from, to: addSeconds(now, 1), grouping: "day", personId: null } as const;
  const groups = await usageBetween(deps.pool, accountId, asked);
  const breakdown = new Map<string, bigint>();
  for (const { source, remaining } of found?.grants ?? [])
    breakdown.set(source, (breakdown.get(source) ?? 0n) + remaining);
  return {
    usage: credits(groups.reduce((sum, { amount }) => sum + amount, 0n)),
    remainingBalance: credits(found?.net ?? 0n),
    balanceBreakdown: Object.fromEntries([...breakdown].map(([source, amount]) => [source, credits(amount)])),
    next_quota_reset: iso(cycle?.nextResetAt ?? null),
    ...(added > 0n ? { autoTopupAdded: credits(added) } : {}),
  };
}
