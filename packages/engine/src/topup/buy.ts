import { monthStart } from "@bursar/contract/calendar";
import { type AccountId, newLink, newPaymentId } from "@bursar/contract/ids";
import { addSeconds, type Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import { withTransaction } from "@bursar/database/transaction";
import type pg from "pg";
import type { Deps } from "../deps.ts";
import { advance } from "../payment/advance.ts";
import type { AdvanceDeps } from "../payment/deps.ts";
import { usableMethod } from "../payment/methods.ts";
import { grantIdOf, type Payment } from "../payment/payment.ts";
import { type PaymentMethod, PaymentsUnavailable } from "../payment/payments.ts";
import { insertPayment, lastTopUp, putOff, readPayment, topUpsSince } from "../payment/store.ts";
import { decideTopUp, type Market, type TopUpDecision } from "./decide.ts";
import { keepTriggered } from "./last-triggered.ts";
import { marketOf } from "./market.ts";
import { noUsableMethod } from "./notices.ts";
import { outcomeOf, type TopUpOutcome } from "./outcome.ts";
import { readStanding } from "./standing.ts";
import { checkNotBefore, disableTopUp, lockPolicy, readPolicy } from "./store-policies.ts";

export type TopUpDeps = AdvanceDeps & Pick<Deps, "prices" | "secrets">;

/** What a waiting request is short of: recomputed whenever it is looked at, for credits may have come meanwhile. */
export interface RequestNeed {
  /** All the credits that it asks for; 0 where none waits. */
  readonly needed: MicroCredits;
  readonly feature: string | null;
}

export const NO_NEED: RequestNeed = { needed: 0n, feature: null };

/** How long whoever wrote an attempt down is alone with it. */
const LEASE_SECONDS = 60;

/** Buys credits if the account's policy asks for it now, or a waiting request needs them.
 *  The attempt is written down, and counts against cooldown and caps, before anything is charged; one account has one
 *  open attempt, however many ask. Throws: LedgerUnavailable, database unreachable. */
export async function topUp(
  deps: TopUpDeps,
  accountId: AccountId,
  request: RequestNeed,
): Promise<TopUpOutcome> {
  const market = await marketOf(deps);
  const early = await mayBuy(deps, accountId, request, market);
  if (early !== null) return early;
  const method = await usableMethod(deps, accountId).catch(unavailable);
  if (method === "unavailable") return putOffUntil(deps, accountId, { kind: "unavailable" });
  if (method === null) return withoutMethod(deps, accountId);
  const begun = await begin(deps, accountId, { request, market: market!, method });
  if (!("payment" in begun)) return putOffUntil(deps, accountId, begun);
  await keepTriggered(deps, accountId, begun.payment.createdAt);
  return carryOn(deps, begun.payment);
}

function unavailable(error: unknown): "unavailable" {
  if (error instanceof PaymentsUnavailable) return "unavailable";
  throw error;
}

/** Most calls end here, without a lock and without asking the payment provider. null: go on. */
async function mayBuy(
  deps: TopUpDeps,
  accountId: AccountId,
  request: RequestNeed,
  market: Market | null,
): Promise<TopUpOutcome | null> {
  const policy = await readPolicy(deps.pool, accountId);
  if (policy === null || !policy.enabled || policy.rule === null) return { kind: "disabled" };
  if (policy.isSuspended) return { kind: "suspended" };
  if (market === null) return { kind: "not_sold" };
  const decision = await decideNow(deps, deps.pool, accountId, { request, market, rule: policy.rule });
  if (decision.kind === "buy") return null;
  if (decision.kind === "suspended") return decision;
  if (decision.kind === "attempt_open")
    return putOffUntil(deps, accountId, await openAttempt(deps.pool, accountId));
  return putOffUntil(deps, accountId, decision);
}

async function openAttempt(queryable: Reader, accountId: AccountId): Promise<TopUpOutcome> {
  const last = await lastTopUp(queryable, accountId);
  return { kind: "attempt_open", paymentId: last?.id ?? null };
}

type Reader = pg.Pool | pg.PoolClient;

interface Need {
  readonly request: RequestNeed;
  readonly market: Market;
}

async function decideNow(
  deps: TopUpDeps,
  reader: Reader,
  accountId: AccountId,
  need: Need & { rule: Parameters<typeof decideTopUp>[0] },
): Promise<TopUpDecision | { readonly kind: "suspended" }> {
  const now = deps.clock.now();
  // Attempts before the balance: an attempt that has ended has given its credits by then.
  const charges = await topUpsSince(reader, accountId, { since: monthStart(now), now });
  const last = await lastTopUp(reader, accountId);
  const { needed, feature } = need.request;
  const { net, usable, isFrozen } = await readStanding(reader, accountId, feature, now);
  // Credits that nobody may use are bought for nobody.
  if (isFrozen) return { kind: "suspended" };
  const missing = needed > usable ? needed - usable : 0n;
  const situation = { net, missing, now, lastTriggeredAt: last?.triggeredAt ?? null, charges };
  return decideTopUp(need.rule, situation, need.market);
}

type Begun = { readonly payment: Payment } | TopUpOutcome;

/** Decides again under the policy's lock, and writes the attempt down. */
function begin(
  deps: TopUpDeps,
  accountId: AccountId,
  { method, ...need }: Need & { method: PaymentMethod },
): Promise<Begun> {
  return withTransaction(deps.pool, async (client): Promise<Begun> => {
    const policy = await lockPolicy(client, accountId);
    if (policy === null || !policy.enabled || policy.rule === null) return { kind: "disabled" };
    if (policy.isSuspended) return { kind: "suspended" };
    const { rule } = policy;
    const decision = await decideNow(deps, client, accountId, { ...need, rule });
    if (decision.kind === "attempt_open") return openAttempt(client, accountId);
    if (decision.kind !== "buy") return decision;
    // Asked after the balance: credits that were frozen or given back meanwhile are none to buy.
    if ((await readPolicy(client, accountId))?.isSuspended === true) return { kind: "suspended" };
    const id = newPaymentId();
    const { credits, amount } = decision;
    const { net } = await readStanding(client, accountId, null, deps.clock.now());
    const payment = {
      ...({
        accountId,
        id,
        kind: "topup",
        method: "saved",
        credits,
        amount,
        currency: rule.currency,
      } as const),
      ...{
        grantId: grantIdOf(id),
        asked: "topup",
        paymentMethodId: method.id,
        returnUrl: null,
        link: newLink(),
      },
      ...{ netBefore: net, threshold: rule.threshold, by: "system:topup", requestId: null },
      createdAt: deps.clock.now(),
    };
    const isNew = await insertPayment(client, payment, "charging", LEASE_SECONDS);
    if (!isNew) return openAttempt(client, accountId);
    return { payment: (await readPayment(client, accountId, id))! };
  });
}

async function carryOn(deps: TopUpDeps, payment: Payment): Promise<TopUpOutcome> {
  try {
    return outcomeOf(await advance(deps, payment));
  } catch (error) {
    if (!(error instanceof PaymentsUnavailable)) throw error;
    deps.log.warn({ err: error, paymentId: payment.id }, "a top-up waits for the payment provider");
    await retrySoon(deps, payment);
    return { kind: "attempt_open", paymentId: payment.id };
  }
}

async function retrySoon(deps: TopUpDeps, payment: Payment): Promise<void> {
  await putOff(deps.pool, payment, { dueAt: addSeconds(deps.clock.now(), 2), intentId: null });
}

async function withoutMethod(deps: TopUpDeps, accountId: AccountId): Promise<TopUpOutcome> {
  const now = deps.clock.now();
  await withTransaction(deps.pool, async (client) => {
    const policy = await lockPolicy(client, accountId);
    if (policy === null || !policy.enabled) return;
    await disableTopUp(client, accountId, "no_payment_method", now);
    await noUsableMethod(client, deps.clock, policy);
  });
  return { kind: "no_payment_method" };
}

const LOOK_AGAIN_SECONDS = 3600;
const OPEN_SECONDS = 60;

/** The sweep need not look at it before something can have changed. */
async function putOffUntil(
  deps: TopUpDeps,
  accountId: AccountId,
  outcome: TopUpOutcome,
): Promise<TopUpOutcome> {
  const now = deps.clock.now();
  const latest = addSeconds(now, LOOK_AGAIN_SECONDS);
  if (outcome.kind === "in_cooldown" || outcome.kind === "cap_reached")
    await checkNotBefore(deps.pool, accountId, earlier(outcome.until, latest));
  if (outcome.kind === "not_sold") await checkNotBefore(deps.pool, accountId, latest);
  if (outcome.kind === "attempt_open" || outcome.kind === "unavailable")
    await checkNotBefore(deps.pool, accountId, addSeconds(now, OPEN_SECONDS));
  return outcome;
}

const earlier = (a: Instant, b: Instant) => (a < b ? a : b);
