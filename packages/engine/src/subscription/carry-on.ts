import { addSeconds, type Instant } from "@bursar/contract/instant";
import type { SubscriptionDeps } from "./deps.ts";
import type { StartRequest } from "./payments.ts";
import { findSubscription, findTerms, markFailed, writePage } from "./store.ts";
import type { Subscription } from "./subscription.ts";
import { syncAll } from "./sync.ts";

/** How long somebody has to pay on a page, and how long a beginning may be repeated under the provider's key. */
const PATIENCE_SECONDS = 23 * 3600;
const LOOK_AGAIN_SECONDS = 600;

/** Brings a beginning as far as it goes: whoever asked, the background after a crash, or an event. Every call to the
 *  provider is under the subscription's id, so it begins once. Returns what has become of it.
 *  Throws: PaymentsUnavailable. */
export async function carryOn(deps: SubscriptionDeps, subscription: Subscription): Promise<Subscription> {
  if (subscription.providerId !== null) await syncAll(deps, subscription.providerId);
  else if (subscription.pageId !== null) await lookAtPage(deps, subscription, subscription.pageId);
  else if (isLate(subscription, deps.clock.now())) await abandon(deps, subscription);
  else await begin(deps, subscription);
  return (await findSubscription(deps.pool, subscription.accountId, subscription.id)) ?? subscription;
}

async function begin(deps: SubscriptionDeps, subscription: Subscription): Promise<void> {
  const { accountId, id: subscriptionId, currency, planId, methodId } = subscription;
  const customerId = await deps.payer.customerOf(accountId);
  const terms = await findTerms(deps.pool, subscription, planId);
  if (customerId === null || terms === null)
    return fail(deps, subscription, "declined", "The account is gone");
  const request = { accountId, subscriptionId, customerId, terms, currency };
  if (methodId === null) return openPage(deps, subscription, request);
  const outcome = await deps.payments.subscribe({ ...request, methodId });
  if (outcome.kind === "needs_page") return openPage(deps, subscription, request);
  if (outcome.kind === "refused") return fail(deps, subscription, "declined", outcome.message);
  // Found by its metadata: the subscription's own row does not know the provider's id yet.
  await syncAll(deps, outcome.record.providerId);
}

async function openPage(
  deps: SubscriptionDeps,
  subscription: Subscription,
  request: StartRequest,
): Promise<void> {
  const page = await deps.payments.openPage({ ...request, returnUrl: subscription.returnUrl });
  if ("kind" in page) return fail(deps, subscription, "declined", page.message);
  const dueAt = addSeconds(deps.clock.now(), LOOK_AGAIN_SECONDS);
  await writePage(deps.pool, subscription, { ...page, dueAt });
}

async function lookAtPage(deps: SubscriptionDeps, subscription: Subscription, pageId: string): Promise<void> {
  const page = await deps.payments.page(pageId);
  if (page?.providerId != null) {
    await syncAll(deps, page.providerId);
    return;
  }
  const isOver = page === null || page.status === "expired" || isLate(subscription, deps.clock.now());
  if (isOver) return abandon(deps, subscription);
  const dueAt = addSeconds(deps.clock.now(), LOOK_AGAIN_SECONDS);
  await writePage(deps.pool, subscription, { pageId, url: page.url, dueAt });
}

/** Nobody will pay any more: first the provider's page is closed, so that nobody can. */
export async function abandon(deps: SubscriptionDeps, subscription: Subscription): Promise<void> {
  const { pageId } = subscription;
  if (pageId !== null) {
    await deps.payments.closePage(pageId);
    const page = await deps.payments.page(pageId);
    // Somebody was faster.
    if (page?.providerId != null) {
      await syncAll(deps, page.providerId);
      return;
    }
  }
  await fail(deps, subscription, "abandoned", "Nobody has paid in time");
}

async function fail(
  deps: SubscriptionDeps,
  subscription: Subscription,
  endReason: "declined" | "abandoned",
  failure: string,
): Promise<void> {
  await markFailed(deps.pool, subscription, { endReason, failure, now: deps.clock.now() });
}

function isLate({ createdAt }: Subscription, now: Instant): boolean {
  return now >= addSeconds(createdAt, PATIENCE_SECONDS);
}
