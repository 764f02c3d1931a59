import type { AccountId } from "@bursar/contract/ids";
import { withTransaction } from "@bursar/database/transaction";
import type { Deps } from "../deps.ts";
import { setCancelAtPeriodEnd } from "../subscription/change.ts";
import type { SubscriptionProvider } from "../subscription/deps.ts";
import { disableTopUp } from "../topup/store-policies.ts";

export type StopChargesOutcome =
  | { readonly kind: "stopped" }
  /** A plan is being begun at this moment: whether it was charged is not known yet. */
  | { readonly kind: "subscription_refused"; readonly message: string };

/** Nothing is charged by itself any more for an account whose owner is about to be deleted: auto top-up is switched off,
 *  and a plan ends with the period that is paid for. Throws: PaymentsUnavailable; asking again is safe. */
export async function stopCharges(
  deps: Deps & { readonly subscriptions?: SubscriptionProvider | undefined },
  accountId: AccountId,
): Promise<StopChargesOutcome> {
  const { pool, clock, subscriptions } = deps;
  await withTransaction(pool, (client) => disableTopUp(client, accountId, "account_closed", clock.now()));
  if (subscriptions === undefined) return { kind: "stopped" };
  const outcome = await setCancelAtPeriodEnd({ ...deps, ...subscriptions }, accountId, true);
  return outcome.kind === "subscription_refused" ? outcome : { kind: "stopped" };
}
