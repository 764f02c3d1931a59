import { paidTerms } from "./change.ts";
import type { SubscriptionDeps } from "./deps.ts";
import { findTerms } from "./store.ts";
import { isOpen, type PlanTerms, type Subscription } from "./subscription.ts";

export interface SubscriptionView {
  readonly subscription: Subscription;
  /** What the current period was paid for; before the first payment, what was asked for. */
  readonly plan: PlanTerms;
  /** What the next period will be; null: there is none. */
  readonly renewsAs: PlanTerms | null;
}

/** A subscription with its plans, for people to read. */
export async function view(
  deps: Pick<SubscriptionDeps, "pool">,
  subscription: Subscription,
): Promise<SubscriptionView> {
  const asked = await findTerms(deps.pool, subscription, subscription.planId);
  const plan = (await paidTerms(deps, subscription)) ?? asked;
  if (plan === null) throw new Error(`the subscription ${subscription.id} has no terms`);
  const goesOn = isOpen(subscription) && !subscription.cancelAtPeriodEnd;
  const renewsAs = goesOn ? await findTerms(deps.pool, subscription, subscription.renewsAs) : null;
  return { subscription, plan, renewsAs };
}
