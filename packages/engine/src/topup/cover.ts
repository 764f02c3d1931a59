import { setTimeout as delay } from "node:timers/promises";
import type { AccountId, PaymentId } from "@bursar/contract/ids";
import type { MicroCredits } from "@bursar/contract/money";
import { readPayment } from "../payment/store.ts";
import { outcomeOf, type RequestNeed, type TopUpDeps, type TopUpOutcome, topUp } from "./buy.ts";
import { readTopUpBelow } from "./store-policies.ts";

/** Why no credits came while a request waited for them. */
export type NotCovered =
  | Exclude<TopUpOutcome["kind"], "added" | "attempt_open">
  /** A person has to confirm the payment first. */
  | "requires_action"
  /** It is still under way; the credits come later. */
  | "timed_out";

export type Covering =
  | { readonly kind: "added"; readonly credits: MicroCredits }
  | { readonly kind: "not_covered"; readonly reason: NotCovered };

/** The gate's way to credits that are not there yet. */
export interface TopUps {
  /** Buys credits for a request that needs so many in all, if the account's policy allows it, and waits for them.
   *  Resolves within the bounded time, or by the deadline (by `performance.now()`) where one is given.
   *  Throws: database unreachable; the caller's own refusal then stands. */
  cover(
    accountId: AccountId,
    needed: MicroCredits,
    options?: { readonly feature?: string | null; readonly deadline?: number },
  ): Promise<Covering>;
  readonly waitSeconds: number;
  /** Whether the account's policy is on, whatever it could buy right now. Throws: database unreachable. */
  isOn(accountId: AccountId): Promise<boolean>;
}

const POLL_MILLISECONDS = 100;

interface Flight {
  readonly request: RequestNeed;
  readonly outcome: Promise<TopUpOutcome>;
}

export function openTopUps(deps: TopUpDeps, settings: { readonly waitSeconds: number }): TopUps {
  // Requests that meet the same empty account share one look at it; across processes the database decides.
  const flights = new Map<AccountId, Flight>();

  const fly = (accountId: AccountId, request: RequestNeed): Flight => {
    const outcome = topUp(deps, accountId, request).finally(() => flights.delete(accountId));
    const flight = { request, outcome };
    flights.set(accountId, flight);
    return flight;
  };

  const outcomeFor = async (accountId: AccountId, request: RequestNeed): Promise<TopUpOutcome> => {
    const flight = flights.get(accountId) ?? fly(accountId, request);
    const outcome = await flight.outcome;
    // What another request did not need this one may, and what the caps leave may be enough for this one.
    const isSame = flight.request.needed === request.needed && flight.request.feature === request.feature;
    const isItsOwn = outcome.kind === "not_needed" || outcome.kind === "cap_reached";
    return isSame || !isItsOwn ? outcome : topUp(deps, accountId, request);
  };

  return {
    waitSeconds: settings.waitSeconds,
    cover: async (accountId, needed, options = {}) => {
      const { feature = null, deadline = performance.now() + settings.waitSeconds * 1000 } = options;
      const asked = outcomeFor(accountId, { needed, feature }).then((outcome) =>
        settle(deps, accountId, outcome, deadline),
      );
      return withinTime(asked, deadline);
    },
    isOn: async (accountId) => (await readTopUpBelow(deps.pool, accountId)) !== null,
  };
}

async function settle(
  deps: TopUpDeps,
  accountId: AccountId,
  first: TopUpOutcome,
  deadline: number,
): Promise<Covering> {
  let outcome = first;
  while (outcome.kind === "attempt_open") {
    if (outcome.paymentId === null) return notCovered("timed_out");
    const payment = await readPayment(deps.pool, accountId, outcome.paymentId satisfies PaymentId);
    if (payment === null) return notCovered("timed_out");
    if (payment.state === "requires_action") return notCovered("requires_action");
    outcome = outcomeOf(payment);
    if (outcome.kind !== "attempt_open") break;
    if (performance.now() >= deadline) return notCovered("timed_out");
    await delay(POLL_MILLISECONDS, undefined, { ref: false });
  }
  return outcome.kind === "added" ? { kind: "added", credits: outcome.credits } : notCovered(outcome.kind);
}

const notCovered = (reason: NotCovered): Covering => ({ kind: "not_covered", reason });

async function withinTime(asked: Promise<Covering>, deadline: number): Promise<Covering> {
  const { promise, resolve } = Promise.withResolvers<Covering>();
  const timer = setTimeout(() => resolve(notCovered("timed_out")), Math.max(0, deadline - performance.now()));
  try {
    return await Promise.race([asked, promise]);
  } finally {
    clearTimeout(timer);
    asked.catch(() => undefined);
  }
}

type Refused =
  | {
      readonly kind: "insufficient_credits";
      readonly available: MicroCredits;
      readonly missing: MicroCredits;
    }
  | { readonly kind: "in_debt"; readonly owed: MicroCredits };

/** A refusal that a top-up was asked about says what came of it. */
export interface WithTopUp {
  readonly topUp?: NotCovered | undefined;
}

/** Asks the ledger, and once credits were bought asks again: the request that ran dry proceeds. Without top-ups it asks
 *  once. However often credits come and go meanwhile, it ends within the bounded time. */
export async function withTopUp<Outcome extends { readonly kind: string }>(
  topUps: TopUps | undefined,
  request: { readonly accountId: AccountId; readonly feature?: string | undefined },
  ask: () => Promise<Outcome>,
): Promise<Outcome & WithTopUp> {
  let outcome = await ask();
  if (topUps === undefined || !isShort(outcome)) return outcome;
  const { accountId, feature = null } = request;
  const deadline = performance.now() + topUps.waitSeconds * 1000;
  for (let round = 0; round < ROUNDS && isShort(outcome); round++) {
    // Where nobody can say, the refusal stands.
    const covering = await topUps
      .cover(accountId, neededOf(outcome), { feature, deadline })
      .catch((): Covering => ({ kind: "not_covered", reason: "unavailable" }));
    if (covering.kind === "added") outcome = await ask();
    else if (covering.reason === "disabled") return outcome;
    else return lastAsk(ask, covering.reason);
  }
  return outcome;
}

const ROUNDS = 3;

/** Credits may have come while nobody bought any: another request's purchase, or a grant. */
async function lastAsk<Outcome extends { readonly kind: string }>(
  ask: () => Promise<Outcome>,
  reason: NotCovered,
): Promise<Outcome & WithTopUp> {
  const outcome = await ask();
  return isShort(outcome) ? { ...outcome, topUp: reason } : outcome;
}

function neededOf(refused: Refused): MicroCredits {
  return refused.kind === "in_debt" ? 0n : refused.available + refused.missing;
}

function isShort<Outcome extends { readonly kind: string }>(outcome: Outcome): outcome is Outcome & Refused {
  return outcome.kind === "insufficient_credits" || outcome.kind === "in_debt";
}
