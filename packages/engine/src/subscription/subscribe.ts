import type { Currency } from "@bursar/contract/fiat";
import type { AccountId } from "@bursar/contract/ids";
import { withTransaction } from "@bursar/database/transaction";
import { findAccount } from "../account/store.ts";
import { carryOn } from "./carry-on.ts";
import type { SubscriptionDeps } from "./deps.ts";
import { type FindTermsOutcome, termsFor } from "./plans.ts";
import { currentSubscription, findSubscription, insertSubscription, keepTerms } from "./store.ts";
import { isOpen, newSubscriptionId, type Subscription, type SubscriptionId } from "./subscription.ts";

export interface SubscribeRequest {
  readonly accountId: AccountId;
  readonly id?: SubscriptionId | undefined;
  readonly planId: string;
  readonly currency: Currency;
  /** default: the saved method, or a page where there is none. */
  readonly method: "default" | "checkout" | (string & {});
  readonly returnUrl: string | null;
  readonly by: string;
}

export type SubscribeOutcome =
  | { readonly kind: "account_unknown"; readonly accountId: AccountId }
  | Exclude<FindTermsOutcome, { kind: "found" }>
  | { readonly kind: "key_conflict" }
  | { readonly kind: "subscription_exists"; readonly id: SubscriptionId }
  | { readonly kind: "payment_failed"; readonly message: string }
  | { readonly kind: "begun"; readonly duplicate: boolean; readonly subscription: Subscription };

/** Begins a plan. The id is the provider's idempotency key: asking again under it never charges twice, and goes on where
 *  a crash or an outage stopped. One open subscription an account, however many ask at once.
 *  Outcomes, first match wins: account_unknown, plan_unknown, currency_not_sold, key_conflict, subscription_exists,
 *  payment_failed, begun. Throws: PaymentsUnavailable; the background then carries it on. */
export async function subscribe(
  deps: SubscriptionDeps,
  request: SubscribeRequest,
): Promise<SubscribeOutcome> {
  const { accountId, planId, currency } = request;
  if ((await findAccount(deps.pool, accountId)) === null) return { kind: "account_unknown", accountId };
  const id = request.id ?? newSubscriptionId();
  const before = await findSubscription(deps.pool, accountId, id);
  if (before !== null) return repeat(deps, before, request);
  const found = await termsFor(deps, planId, currency);
  if (found.kind !== "found") return found;
  const methodId = await methodFor(deps, request);
  const { returnUrl, by: createdBy } = request;
  const subscription = {
    ...{ accountId, id, planId, currency, methodId, returnUrl, createdBy },
    providerId: null,
  };
  const isNew = await withTransaction(deps.pool, async (client) => {
    if (!(await insertSubscription(client, subscription, deps.clock.now()))) return false;
    await keepTerms(client, subscription, found.terms);
    return true;
  });
  const row = await findSubscription(deps.pool, accountId, id);
  if (isNew && row !== null) return outcomeOf(await carryOn(deps, row), false);
  if (row !== null) return repeat(deps, row, request);
  const open = await currentSubscription(deps.pool, accountId);
  return { kind: "subscription_exists", id: open?.id ?? id };
}

async function repeat(
  deps: SubscriptionDeps,
  before: Subscription,
  { planId, currency }: SubscribeRequest,
): Promise<SubscribeOutcome> {
  if (before.planId !== planId || before.currency !== currency) return { kind: "key_conflict" };
  const isWaiting = before.state === "starting" && before.pageId === null;
  return outcomeOf(isWaiting ? await carryOn(deps, before) : before, true);
}

function outcomeOf(subscription: Subscription, duplicate: boolean): SubscribeOutcome {
  if (subscription.state === "failed") {
    return { kind: "payment_failed", message: subscription.failure ?? "The payment did not go through" };
  }
  return { kind: "begun", duplicate, subscription };
}

async function methodFor({ payer }: SubscriptionDeps, request: SubscribeRequest): Promise<string | null> {
  if (request.method === "checkout") return null;
  return request.method === "default" ? payer.methodOf(request.accountId) : request.method;
}

/** The account's open subscription; null where there is none. */
export async function openSubscription(
  { pool }: Pick<SubscriptionDeps, "pool">,
  accountId: AccountId,
): Promise<Subscription | null> {
  const current = await currentSubscription(pool, accountId);
  return current !== null && isOpen(current) ? current : null;
}
