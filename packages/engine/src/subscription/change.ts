import type { AccountId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import { abandon } from "./carry-on.ts";
import { creditsForChange, isUpgrade } from "./decide.ts";
import type { SubscriptionDeps } from "./deps.ts";
import { type FindTermsOutcome, termsFor } from "./plans.ts";
import { currentSubscription, findTerms, keepTerms, markEndReason } from "./store.ts";
import { latestPaid } from "./store-invoices.ts";
import { openSubscription } from "./subscribe.ts";
import type { PlanTerms, Subscription } from "./subscription.ts";
import { syncAll } from "./sync.ts";

export type Refusal =
  | Exclude<FindTermsOutcome, { kind: "found" }>
  | { readonly kind: "subscription_unknown" }
  /** `message` says what would be right. */
  | { readonly kind: "subscription_refused"; readonly message: string };

export type ChangeOutcome =
  | Refusal
  /** The change's id was used before for another one. */
  | { readonly kind: "key_conflict" }
  | { readonly kind: "payment_failed"; readonly message: string }
  | { readonly kind: "changed"; readonly subscription: Subscription };

export type PreviewOutcome =
  | Refusal
  | {
      readonly kind: "previewed";
      readonly terms: PlanTerms;
      readonly currency: Subscription["currency"];
      readonly effective: "now" | "period_end";
      readonly at: Instant;
      /** In the currency's minor unit. */
      readonly dueNow: number;
      readonly creditsNow: MicroCredits;
    };

interface Change {
  readonly kind: "change";
  readonly subscription: Subscription & { readonly providerId: string; readonly periodEnd: Instant };
  readonly terms: PlanTerms;
  /** False where the next period is this plan's already. */
  readonly isNews: boolean;
  readonly charges: boolean;
}

/** What a change would cost and give. The provider says what is charged; the credits follow from it as they will from
 *  the invoice. Throws: PaymentsUnavailable. */
export async function previewChange(
  deps: SubscriptionDeps,
  accountId: AccountId,
  planId: string,
): Promise<PreviewOutcome> {
  const change = await possibleChange(deps, accountId, planId);
  if (change.kind !== "change") return change;
  const { subscription, terms, charges } = change;
  const { providerId, currency, periodEnd } = subscription;
  const common = { kind: "previewed", terms, currency } as const;
  if (!charges) return { ...common, effective: "period_end", at: periodEnd, dueNow: 0, creditsNow: 0n };
  const dueNow = await deps.payments.preview({ providerId, terms, currency });
  if (typeof dueNow !== "number")
    return (await endedMeanwhile(deps, subscription)) ?? refusal(dueNow.message);
  const creditsNow = creditsForChange(terms, dueNow);
  return { ...common, effective: "now", at: deps.clock.now(), dueNow, creditsNow };
}

/** A dearer plan begins at once: the difference is charged, and gives credits in proportion. Any other plan begins with
 *  the next period: what is paid for stays, and nothing is given back. Neither touches credits that are there.
 *  Outcomes, first match wins: subscription_unknown, plan_unknown, currency_not_sold, subscription_refused,
 *  key_conflict, payment_failed (nothing has changed), changed. Throws: PaymentsUnavailable. */
export async function changePlan(
  deps: SubscriptionDeps,
  request: { readonly accountId: AccountId; readonly planId: string; readonly changeId: string },
): Promise<ChangeOutcome> {
  const { accountId, planId, changeId } = request;
  const change = await possibleChange(deps, accountId, planId);
  if (change.kind !== "change") return change;
  const { subscription, terms, isNews, charges } = change;
  const { providerId, currency } = subscription;
  if (!isNews) return { kind: "changed", subscription };
  // Before the provider knows of it: its invoice may come at any moment.
  await keepTerms(deps.pool, subscription, terms);
  const outcome = await deps.payments.change({ providerId, terms, currency, changeId, charges });
  if (outcome.kind === "key_conflict") return outcome;
  if (outcome.kind === "refused") {
    const ended = await endedMeanwhile(deps, subscription);
    return ended ?? { kind: "payment_failed", message: outcome.message };
  }
  await syncAll(deps, providerId);
  return { kind: "changed", subscription: (await currentSubscription(deps.pool, accountId)) ?? subscription };
}

/** The provider refuses whatever is asked of a subscription that has ended there, which nobody may have heard of here.
 *  null: it has not. */
async function endedMeanwhile(
  deps: SubscriptionDeps,
  { accountId, id, providerId }: Change["subscription"],
): Promise<Extract<Refusal, { kind: "subscription_unknown" }> | null> {
  await syncAll(deps, providerId);
  const now = await openSubscription(deps, accountId);
  return now?.id === id ? null : { kind: "subscription_unknown" };
}

async function possibleChange(
  deps: SubscriptionDeps,
  accountId: AccountId,
  planId: string,
): Promise<Change | Refusal> {
  const subscription = await openSubscription(deps, accountId);
  if (subscription === null) return { kind: "subscription_unknown" };
  const found = await termsFor(deps, planId, subscription.currency);
  if (found.kind !== "found") return found;
  const { providerId, periodEnd } = subscription;
  if (subscription.state !== "active" || providerId === null || periodEnd === null) {
    const message =
      subscription.state === "past_due"
        ? "The renewal is not paid: pay it first, then change the plan"
        : "The subscription has not begun: pay it first";
    return refusal(message);
  }
  const current = await paidTerms(deps, subscription);
  if (current === null) return refusal("The first payment has not arrived yet; try again in a moment");
  if (current.interval !== found.terms.interval) {
    return refusal(
      `${planId} is paid by the ${found.terms.interval}: cancel, and subscribe to it when this one ends`,
    );
  }
  // A plan that was chosen before keeps the terms that it had then.
  const terms = (await findTerms(deps.pool, subscription, planId)) ?? found.terms;
  const isNews = subscription.renewsAs !== planId;
  const whole = { ...subscription, providerId, periodEnd };
  return { kind: "change", subscription: whole, terms, isNews, charges: isNews && isUpgrade(current, terms) };
}

const PROVIDER_REFUSES = "The payment provider refuses it: it must be done there";

const refusal = (message: string) => ({ kind: "subscription_refused" as const, message });

/** The terms that the current period was paid for. */
export async function paidTerms(
  { pool }: Pick<SubscriptionDeps, "pool">,
  subscription: Subscription,
): Promise<PlanTerms | null> {
  const invoice = await latestPaid(pool, subscription);
  return invoice?.planId == null ? null : findTerms(pool, subscription, invoice.planId);
}

/** Ends the subscription with the period that is paid for, or lets it go on after all. One whose renewal is unpaid has
 *  no such period, and ends at once: nothing is charged any more. One that never began is given up.
 *  Outcomes, first match wins: subscription_unknown, subscription_refused, changed. Throws: PaymentsUnavailable. */
export async function setCancelAtPeriodEnd(
  deps: SubscriptionDeps,
  accountId: AccountId,
  isCanceled: boolean,
): Promise<
  Exclude<ChangeOutcome, { kind: "key_conflict" | "payment_failed" | "plan_unknown" | "currency_not_sold" }>
> {
  const subscription = await openSubscription(deps, accountId);
  if (subscription === null) return { kind: "subscription_unknown" };
  const { providerId } = subscription;
  if (providerId !== null && subscription.state !== "starting") {
    if (!isCanceled || !(await endUnpaid(deps, subscription, providerId)))
      await deps.payments.setCancelAtPeriodEnd(providerId, isCanceled);
    await syncAll(deps, providerId);
    const now = await openSubscription(deps, accountId);
    const hasEnded = now?.id !== subscription.id;
    // It has ended at the provider before it could go on.
    if (hasEnded && !isCanceled) return { kind: "subscription_unknown" };
    if (!hasEnded && now.cancelAtPeriodEnd !== isCanceled) return refusal(PROVIDER_REFUSES);
  } else if (isCanceled && subscription.pageId !== null) {
    await abandon(deps, subscription);
    // Paid on its page before that was closed, it has begun after all.
    const now = await openSubscription(deps, accountId);
    if (now?.id === subscription.id && now.state !== "starting")
      return setCancelAtPeriodEnd(deps, accountId, isCanceled);
  } else return refusal("The subscription has not begun yet; try again in a moment");
  return { kind: "changed", subscription: (await currentSubscription(deps.pool, accountId)) ?? subscription };
}

/** False where its renewal is paid, which the provider knows best. */
async function endUnpaid(
  { pool, payments }: SubscriptionDeps,
  subscription: Subscription,
  providerId: string,
): Promise<boolean> {
  if ((await payments.subscription(providerId))?.status !== "past_due") return false;
  await markEndReason(pool, subscription, "canceled");
  await payments.end(providerId);
  return true;
}
