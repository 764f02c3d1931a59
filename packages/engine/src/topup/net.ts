import type { AccountId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import { isExpired } from "../ledger/account.ts";
import { readAccount } from "../ledger/store-load.ts";
import type { Queryable } from "../mail/store.ts";

/** Available less owed, without what has expired and is not swept yet. 0 for an account that does not exist. */
export async function readNet(
  queryable: Queryable,
  accountId: AccountId,
  now: Instant,
): Promise<MicroCredits> {
  const account = await readAccount(queryable, accountId);
  if (account === null) return 0n;
  const expired = account.grants.reduce(
    (sum, grant) => (isExpired(grant, now) ? sum + grant.remaining : sum),
    0n,
  );
  return account.available - expired - account.owed;
}
