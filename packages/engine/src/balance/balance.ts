import type { AccountId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type { Deps } from "../deps.ts";
import { type Account, isExpired, type OpenGrant, payingGrants } from "../ledger/account.ts";
import { readAccount } from "../ledger/store-load.ts";

export interface Balance {
  readonly accountId: AccountId;
  readonly available: MicroCredits;
  readonly held: MicroCredits;
  readonly owed: MicroCredits;
  readonly net: MicroCredits;
  readonly frozen: boolean;
  /** Grants with something left, in spending order. */
  readonly grants: readonly OpenGrant[];
  readonly nextExpiry: { readonly at: Instant; readonly amount: MicroCredits } | null;
}

/** What an account has now: its row, less what has expired but is not yet swept, and, for a feature, less the grants
 *  scoped to others. Reads one row; writes, tops up and charges nothing. null: no such account. */
export async function balance(
  deps: Pick<Deps, "clock"> & { readonly pool: Pick<Deps["pool"], "query"> },
  accountId: AccountId,
  feature?: string,
): Promise<Balance | null> {
  const account = await readAccount(deps.pool, accountId);
  return account === null ? null : balanceOf(account, feature ?? null, deps.clock.now());
}

/** Without a feature, all grants count that have not expired: it is the whole that the account has. */
export function balanceOf(account: Account, feature: string | null, now: Instant): Balance {
  const live = feature === null ? unexpired(account, now) : payingGrants(account, feature, now);
  const grants = live.filter((grant) => grant.remaining > 0n);
  const available = grants.reduce((sum, grant) => sum + grant.remaining, 0n);
  const { id: accountId, held, owed, frozen } = account;
  return {
    accountId,
    available,
    held,
    owed,
    net: available - owed,
    frozen,
    grants,
    nextExpiry: nextExpiry(grants),
  };
}

function unexpired(account: Account, now: Instant): OpenGrant[] {
  return account.grants.filter((grant) => !isExpired(grant, now));
}

/** The soonest expiry and all that ends with it. */
function nextExpiry(grants: readonly OpenGrant[]): Balance["nextExpiry"] {
  const expiries = grants.flatMap((grant) => (grant.expiresAt === null ? [] : [grant.expiresAt]));
  if (expiries.length === 0) return null;
  const at = expiries.reduce((soonest, next) => (next < soonest ? next : soonest));
  const ending = grants.filter((grant) => grant.expiresAt === at);
  return { at, amount: ending.reduce((sum, grant) => sum + grant.remaining, 0n) };
}
