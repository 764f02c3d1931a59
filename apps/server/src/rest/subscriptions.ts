import { newOperationId } from "@bursar/contract/ids";
import { isExact, parseInstant } from "@bursar/contract/instant";
import type { SubscriptionAnswer } from "@bursar/contract/operations/subscriptions";
import { credits, iso } from "@bursar/contract/shapes";
import { findAccount } from "@bursar/engine/account/store";
import { PaymentsUnavailable } from "@bursar/engine/payment/payments";
import {
  type ChangeOutcome,
  changePlan,
  previewChange,
  setCancelAtPeriodEnd,
} from "@bursar/engine/subscription/change";
import type { SubscriptionDeps } from "@bursar/engine/subscription/deps";
import { plans } from "@bursar/engine/subscription/plans";
import { currentSubscription } from "@bursar/engine/subscription/store";
import {
  type Invoice,
  type InvoicePlace,
  listInvoices as list,
} from "@bursar/engine/subscription/store-invoices";
import { disputedInvoices } from "@bursar/engine/subscription/store-reversals";
import { subscribe as begin, type SubscribeOutcome } from "@bursar/engine/subscription/subscribe";
import type { PlanTerms, Subscription, SubscriptionId } from "@bursar/engine/subscription/subscription";
import { view } from "@bursar/engine/subscription/view";
import type { Handler, RestDeps } from "./context.ts";
import { isProblem, type Problem, refused } from "./problem.ts";

export const listPlans: Handler<"listPlans"> = async ({ deps }) => {
  const found = await plans(deps);
  return {
    answer: {
      plans: found.map((plan) => {
        return { ...plan, credits: credits(plan.credits), bonus: credits(plan.bonus) };
      }),
    },
  };
};

export const getSubscription: Handler<"getSubscription"> = async ({ deps, accountId }) => {
  const found = await currentSubscription(deps.pool, accountId);
  if (found !== null) return { answer: { subscription: await subscriptionAnswer(deps, found) } };
  const isKnown = (await findAccount(deps.pool, accountId)) !== null;
  return isKnown ? { answer: { subscription: null } } : refused({ kind: "account_unknown", accountId });
};

export const subscribe: Handler<"subscribe"> = async (call) => {
  const { deps, accountId, body, principal, idempotencyKey } = call;
  const id = (body.id ?? idempotencyKey) as SubscriptionId | undefined;
  const { plan: planId, currency, paymentMethod: method, returnUrl = null } = body;
  const request = { accountId, id, planId, currency, method, returnUrl, by: principal.by };
  const outcome = await withProvider(deps, (all) => begin(all, request));
  if (isProblem(outcome)) return outcome;
  if (outcome.kind !== "begun") return problemOf(outcome);
  const answer = { subscription: await subscriptionAnswer(deps, outcome.subscription) };
  return { answer, repeated: outcome.duplicate };
};

export const previewSubscription: Handler<"previewSubscription"> = async ({ deps, accountId, body }) => {
  const outcome = await withProvider(deps, (all) => previewChange(all, accountId, body.plan));
  if (isProblem(outcome)) return outcome;
  if (outcome.kind !== "previewed") return problemOf(outcome);
  const { terms, effective, at, dueNow, creditsNow, currency } = outcome;
  const plan = termsAnswer(terms);
  return { answer: { plan, effective, at: iso(at)!, dueNow, creditsNow: credits(creditsNow), currency } };
};

export const changeSubscription: Handler<"changeSubscription"> = async (call) => {
  const { deps, accountId, body, idempotencyKey } = call;
  const changeId = idempotencyKey ?? newOperationId();
  const request = { accountId, planId: body.plan, changeId };
  return changeAnswer(deps, await withProvider(deps, (all) => changePlan(all, request)));
};

export const cancelSubscription: Handler<"cancelSubscription"> = async ({ deps, accountId }) =>
  changeAnswer(deps, await withProvider(deps, (all) => setCancelAtPeriodEnd(all, accountId, true)));

export const resumeSubscription: Handler<"resumeSubscription"> = async ({ deps, accountId }) =>
  changeAnswer(deps, await withProvider(deps, (all) => setCancelAtPeriodEnd(all, accountId, false)));

export const listInvoices: Handler<"listInvoices"> = async ({ deps, accountId, query }) => {
  const before = query.cursor === undefined ? null : placeFrom(query.cursor);
  if (before === "malformed") {
    const message = "must be a nextCursor from an earlier answer";
    return { problem: "invalid_request", message, param: "cursor" };
  }
  const found = await list(deps.pool, accountId, { before, limit: query.limit });
  if (found.length === 0 && (await findAccount(deps.pool, accountId)) === null)
    return refused({ kind: "account_unknown", accountId });
  const ids = found.map(({ id }) => id);
  const disputed = await disputedInvoices(deps.pool, accountId, ids);
  const invoices = found.map((invoice) => invoiceAnswer(invoice, disputed.has(invoice.id)));
  const last = found.length === query.limit ? found.at(-1) : undefined;
  return {
    answer: { invoices, nextCursor: last === undefined ? null : `${iso(last.createdAt)} ${last.id}` },
  };
};

function invoiceAnswer(invoice: Invoice, disputed: boolean) {
  const { id, number, status, reason, planId, amountDue, amountPaid, currency, url, pdfUrl, paidWith } =
    invoice;
  const money = { plan: planId, amountDue, amountPaid, refunded: invoice.takenBack, disputed, currency };
  const period = { periodStart: iso(invoice.periodStart)!, periodEnd: iso(invoice.periodEnd)! };
  const paid = { paidAt: iso(invoice.paidAt), paidWith };
  return {
    ...{ id, number, status, reason, url, pdfUrl, createdAt: iso(invoice.createdAt)! },
    ...money,
    ...period,
    ...paid,
  };
}

function placeFrom(cursor: string): InvoicePlace | "malformed" {
  const [at = "", id] = cursor.split(" ");
  const createdAt = parseInstant(at);
  const isPlace = createdAt !== null && isExact(createdAt) && id !== undefined;
  return isPlace ? { createdAt, id } : "malformed";
}

/** Payments may not be set up, and their provider may not answer. */
async function withProvider<Outcome>(
  deps: RestDeps,
  work: (deps: SubscriptionDeps) => Promise<Outcome>,
): Promise<Outcome | Problem> {
  if (deps.subscriptions === undefined) {
    return { problem: "payments_off", message: "No payment provider is set up here" };
  }
  try {
    return await work({ ...deps, ...deps.subscriptions });
  } catch (error) {
    if (!(error instanceof PaymentsUnavailable)) throw error;
    const message = "The payment provider does not answer; ask again under the same id";
    return { problem: "payment_unavailable", message };
  }
}

type Refusal = Exclude<SubscribeOutcome, { kind: "begun" }> | Exclude<ChangeOutcome, { kind: "changed" }>;

function problemOf(refusal: Refusal): Problem {
  switch (refusal.kind) {
    case "account_unknown":
    case "plan_unknown":
    case "currency_not_sold":
      return inputProblem(refusal);
    case "key_conflict":
      return { problem: "key_conflict", message: "This id was used before for another plan", param: "id" };
    case "subscription_exists":
      return {
        problem: "subscription_exists",
        message: `The account has the subscription ${refusal.id}: change its plan with PATCH, or cancel it first`,
      };
    case "subscription_unknown":
      return { problem: "subscription_unknown", message: "The account has no open subscription" };
    case "subscription_refused":
      return { problem: "subscription_refused", message: refusal.message };
    case "payment_failed":
      return { problem: "payment_failed", message: refusal.message };
  }
}

function inputProblem(
  refusal: Extract<Refusal, { kind: "account_unknown" | "plan_unknown" | "currency_not_sold" }>,
): Problem {
  if (refusal.kind === "account_unknown") return refused(refusal);
  if (refusal.kind === "plan_unknown") {
    const message = `There is no plan ${refusal.planId}; there are: ${refusal.known.join(", ") || "none"}`;
    return { problem: "plan_unknown", message, param: "plan" };
  }
  const message = `must be one that this plan is sold in: ${refusal.sold.join(", ")}`;
  return { problem: "invalid_request", message, param: "currency" };
}

async function changeAnswer(
  deps: RestDeps,
  outcome: ChangeOutcome | Problem,
): Promise<{ answer: { subscription: SubscriptionAnswer } } | Problem> {
  if (isProblem(outcome)) return outcome;
  if (outcome.kind !== "changed") return problemOf(outcome);
  return { answer: { subscription: await subscriptionAnswer(deps, outcome.subscription) } };
}

export async function subscriptionAnswer(
  deps: RestDeps,
  subscription: Subscription,
): Promise<SubscriptionAnswer> {
  const { plan, renewsAs } = await view(deps, subscription);
  const { id, state, currency, cancelAtPeriodEnd, url, endReason } = subscription;
  return {
    id,
    state,
    plan: termsAnswer(plan),
    renewsAs: renewsAs === null ? null : termsAnswer(renewsAs),
    currency,
    periodStart: iso(subscription.periodStart),
    periodEnd: iso(subscription.periodEnd),
    cancelAtPeriodEnd,
    graceUntil: iso(subscription.graceUntil),
    url,
    endReason,
    createdAt: iso(subscription.createdAt)!,
    endedAt: iso(subscription.endedAt),
  };
}

function termsAnswer({ planId, name, interval, amount, ...terms }: PlanTerms): SubscriptionAnswer["plan"] {
  const [given, bonus] = [credits(terms.credits), credits(terms.bonus)];
  return { id: planId, name, interval, credits: given, bonus, amount };
}
