import type { AccountId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import { type Balance, balance } from "../balance/balance.ts";
import type { Deps } from "../deps.ts";
import { findQuota } from "../quota/store.ts";
import { type Estimate, forecast as estimate } from "./decide.ts";
import { recentUse } from "./store.ts";

/** Asks at which net balance the account would top up by itself; null: it would not. */
export type TopUpBelow = (accountId: AccountId) => Promise<MicroCredits | null>;

export interface Forecast {
  readonly accountId: AccountId;
  readonly available: MicroCredits;
  /** The part of it that is kept for some features alone, which the estimate leaves out. */
  readonly scoped: MicroCredits;
  readonly estimate: Estimate;
  readonly nextExpiry: Balance["nextExpiry"];
  readonly nextReset: { readonly at: Instant; readonly amount: MicroCredits } | null;
}

/** How long the credits of an account will last, by what it used in the last 28 days. Reads only.
 *  null: no such account. Throws: database unreachable. */
export async function forecast(
  deps: Pick<Deps, "pool" | "clock"> & { readonly topUpBelow?: TopUpBelow | undefined },
  accountId: AccountId,
): Promise<Forecast | null> {
  const now = deps.clock.now();
  const [state, found, use, topUpBelow] = await Promise.all([
    balance(deps, accountId),
    findQuota(deps.pool, accountId),
    recentUse(deps.pool, accountId, now),
    deps.topUpBelow?.(accountId) ?? null,
  ]);
  if (state === null) return null;
  const quota = found === null || found.credits === 0n ? null : found;
  const supplies = state.grants.filter(({ scope }) => scope === null);
  const usable = supplies.reduce((sum, { remaining }) => sum + remaining, 0n);
  return {
    accountId,
    available: state.available,
    scoped: state.available - usable,
    estimate: estimate({ now, use, supplies, owed: state.owed, quota, topUpBelow }),
    nextExpiry: state.nextExpiry,
    nextReset: quota === null ? null : { at: quota.nextResetAt, amount: quota.credits },
  };
}
