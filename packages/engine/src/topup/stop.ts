import type { AccountId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type { Queryable } from "../mail/store.ts";
import { readStanding } from "./standing.ts";
import { disableTopUp, readPolicy } from "./store-policies.ts";

/** Where taking back so many credits for money that was paid back would make auto top-up buy again right away, it is
 *  switched off: nobody who was just paid back wants to be charged for it. In the transaction that decides to take them,
 *  so that no process sees the need first. True when it was on and is off now. */
export async function stopTopUp(
  client: Queryable,
  accountId: AccountId,
  credits: MicroCredits,
  now: Instant,
): Promise<boolean> {
  const policy = await readPolicy(client, accountId);
  if (policy?.enabled !== true || policy.rule === null) return false;
  const { net } = await readStanding(client, accountId, null, now);
  if (net - credits >= policy.rule.threshold) return false;
  await disableTopUp(client, accountId, "refunded", now);
  return true;
}
