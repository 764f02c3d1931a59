import type { AccountId } from "@bursar/contract/ids";
import { withTransaction } from "@bursar/database/transaction";
import { findAccount } from "../account/store.ts";
import type { SyncDeps } from "./deps.ts";
import type { SubscriptionRecord } from "./payments.ts";
import { termsFor } from "./plans.ts";
import { findSubscription, insertSubscription, keepTerms } from "./store.ts";
import type { Subscription, SubscriptionId } from "./subscription.ts";

/** Writes a subscription down that is at the provider and not known here, as after the database was restored from a
 *  backup older than it: on the terms that its plan has now. null: it is over, or its account is not known here either,
 *  which is logged; or it is not paid yet.
 *  Throws: its plan is none of the price book, or the account has another one. */
export async function restoreSubscription(
  deps: SyncDeps,
  record: SubscriptionRecord & { readonly accountId: AccountId; readonly subscriptionId: SubscriptionId },
): Promise<Subscription | null> {
  const { accountId, subscriptionId: id, providerId, planId, currency, methodId } = record;
  if (record.status === "incomplete") return null;
  if (record.status === "canceled" || (await findAccount(deps.pool, accountId)) === null) {
    deps.log.warn({ accountId, providerId }, "a plan that is over, or of no account here, is not known here");
    return null;
  }
  const found = planId === null || currency === null ? null : await termsFor(deps, planId, currency);
  if (found?.kind !== "found" || currency === null)
    throw new Error(`${providerId} of ${accountId} is paid and not known here, nor is its plan ${planId}`);
  const { terms } = found;
  // With the provider's id: whoever goes on with it, if this process dies now, must not begin it there once more.
  const facts = { accountId, id, providerId, planId: terms.planId, currency, methodId, returnUrl: null };
  const isNew = await withTransaction(deps.pool, async (client) => {
    const createdBy = "system:payments";
    if (!(await insertSubscription(client, { ...facts, createdBy }, deps.clock.now()))) return false;
    await keepTerms(client, facts, terms);
    return true;
  });
  const written = await findSubscription(deps.pool, accountId, id);
  if (written === null) throw new Error(`${providerId}: ${accountId} has another subscription`);
  if (isNew) deps.log.warn({ accountId, providerId }, "a paid plan was not known here; it is restored");
  return written;
}
