import { addSeconds } from "@bursar/contract/instant";
import { carryOn } from "./carry-on.ts";
import { issueDueInvoices } from "./credits.ts";
import type { SubscriptionDeps } from "./deps.ts";
import { freezeReturnedMonths } from "./freeze-returned.ts";
import { markEndReason, putOff, takeDue } from "./store.ts";
import type { Subscription } from "./subscription.ts";
import { syncAll } from "./sync.ts";

const BATCH = 10;
const LEASE_SECONDS = 120;
const RETRY_SECONDS = 300;

/** Whatever is due of subscriptions: beginnings that a crash has stopped, renewals whose events got lost, the end of
 *  grace, the months of yearly plans, what work gives back of disputed ones. Any number of processes may. Returns how much it took up.
 *  Throws: LedgerUnavailable, database unreachable. */
export async function tendSubscriptions(deps: SubscriptionDeps): Promise<number> {
  const now = deps.clock.now();
  const due = await takeDue(deps.pool, { now, limit: BATCH, leaseSeconds: LEASE_SECONDS });
  for (const subscription of due) await tend(deps, subscription);
  return due.length + (await issueDueInvoices(deps)) + (await freezeReturnedMonths(deps));
}

/** One that cannot be tended now keeps no other from being tended. */
async function tend(deps: SubscriptionDeps, subscription: Subscription): Promise<void> {
  const { id, providerId } = subscription;
  try {
    if (subscription.state === "starting" || providerId === null) await carryOn(deps, subscription);
    else await renew(deps, subscription, providerId);
  } catch (error) {
    deps.log.warn(
      { err: error, subscriptionId: id },
      "a subscription could not be looked after; it is later",
    );
    await putOff(deps.pool, subscription, addSeconds(deps.clock.now(), RETRY_SECONDS));
  }
}

async function renew(deps: SubscriptionDeps, subscription: Subscription, providerId: string): Promise<void> {
  await syncAll(deps, providerId);
  const { graceUntil } = subscription;
  if (graceUntil === null || graceUntil > deps.clock.now()) return;
  // The provider was asked a moment ago: paid in time, it would not be past due any more.
  const record = await deps.payments.subscription(providerId);
  if (record?.status !== "past_due") return;
  await markEndReason(deps.pool, subscription, "unpaid");
  await deps.payments.end(providerId);
  await syncAll(deps, providerId);
}
