import type { AccountId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import { isExpired, spendable } from "../ledger/account.ts";
import { readAccount } from "../ledger/store-load.ts";
import type { Queryable } from "../mail/store.ts";

/** How an account stands now. */
export interface Standing {
  /** Available less owed, without what has expired and is not swept yet. */
  readonly net: MicroCredits;
  /** What a request for the feature could use. */
  readonly usable: MicroCredits;
  readonly isFrozen: boolean;
}

export async function readStanding(
  queryable: Queryable,
  accountId: AccountId,
  feature: string | null,
  now: Instant,
): Promise<Standing> {
  const account = await readAccount(queryable, accountId);
  if (account === null) return { net: 0n, usable: 0n, isFrozen: false };
  const expired = account.grants.reduce(
    (sum, grant) => (isExpired(grant, now) ? sum + grant.remaining : sum),
    0n,
  );
  return {
    net: account.available - expired - account.owed,
    usable: account.owed > 0n ? 0n : spendable(account, feature, now),
    isFrozen: account.frozen,
  };
}
