import type { AccountId } from "@bursar/contract/ids";
import { withTransaction } from "@bursar/database/transaction";
import type { Deps } from "../deps.ts";
import { callOffWaiting } from "../payment/call-off.ts";
import type { Payments } from "../payment/payments.ts";
import { removeMethods } from "../payment/remove-method.ts";
import { setCancelAtPeriodEnd } from "../subscription/change.ts";
import type { SubscriptionProvider } from "../subscription/deps.ts";
import { disableTopUp } from "../topup/store-policies.ts";

export interface StopChargesDeps extends Deps {
  readonly subscriptions?: SubscriptionProvider | undefined;
  /** null where no payment provider is set. */
  readonly payments: Payments | null;
}

export type StopChargesOutcome =
  | { readonly kind: "stopped" }
  /** A plan is being begun at this moment: whether it was charged is not known yet. */
  | { readonly kind: "subscription_refused"; readonly message: string };

/** Nothing is charged any more for an account whose owner is about to be deleted: auto top-up is switched off, a plan ends
 *  with the period that is paid for, nothing that waits to be paid can be, and the provider has no payment method of
 *  theirs, so that what was asked for before and is still under way can charge none. Throws: PaymentsUnavailable; asking
 *  again is safe. */
export async function stopCharges(deps: StopChargesDeps, accountId: AccountId): Promise<StopChargesOutcome> {
  const { pool, clock, subscriptions, payments } = deps;
  await withTransaction(pool, (client) => disableTopUp(client, accountId, "account_closed", clock.now()));
  if (subscriptions !== undefined) {
    const outcome = await setCancelAtPeriodEnd({ ...deps, ...subscriptions }, accountId, true);
    if (outcome.kind === "subscription_refused") return outcome;
  }
  if (payments !== null) {
    await callOffWaiting({ pool, clock, payments }, accountId);
    await removeMethods({ pool, clock, payments }, accountId);
  }
  return { kind: "stopped" };
}
