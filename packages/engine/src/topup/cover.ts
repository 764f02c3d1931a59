import { setTimeout as delay } from "node:timers/promises";
import type { AccountId, PaymentId } from "@bursar/contract/ids";
import type { MicroCredits } from "@bursar/contract/money";
import { readPayment } from "../payment/store.ts";
import { outcomeOf, type TopUpDeps, type TopUpOutcome, topUp } from "./buy.ts";
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
  /** Buys credits for a request that lacks `missing`, if the account's policy allows it, and waits for them. Resolves
   *  within the bounded time. Throws: database unreachable; the caller's own refusal then stands. */
  cover(accountId: AccountId, missing: MicroCredits): Promise<Covering>;
  /** Whether the account's policy is on, whatever it could buy right now. Throws: database unreachable. */
  isOn(accountId: AccountId): Promise<boolean>;
}

const POLL_MILLISECONDS = 100;

interface Flight {
  readonly missing: MicroCredits;
  readonly outcome: Promise<TopUpOutcome>;
}

export function openTopUps(deps: TopUpDeps, settings: { readonly waitSeconds: number }): TopUps {
  // Requests that meet the same empty account share one look at it; across processes the database decides.
  const flights = new Map<AccountId, Flight>();

  const fly = (accountId: AccountId, missing: MicroCredits): Flight => {
    const outcome = topUp(deps, accountId, missing).finally(() => flights.delete(accountId));
    const flight = { missing, outcome };
    flights.set(accountId, flight);
    return flight;
  };

  const outcomeFor = async (accountId: AccountId, missing: MicroCredits): Promise<TopUpOutcome> => {
    const flight = flights.get(accountId) ?? fly(accountId, missing);
    const outcome = await flight.outcome;
    // What was not needed for another request may be for this one.
    const isOwn = outcome.kind !== "not_needed" || flight.missing === missing;
    return isOwn ? outcome : topUp(deps, accountId, missing);
  };

  return {
    cover: async (accountId, missing) => {
      const deadline = performance.now() + settings.waitSeconds * 1000;
      const asked = outcomeFor(accountId, missing).then((outcome) =>
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
  | { readonly kind: "insufficient_credits"; readonly missing: MicroCredits }
  | { readonly kind: "in_debt"; readonly owed: MicroCredits };

/** A refusal that a top-up was asked about says what came of it. */
export interface WithTopUp {
  readonly topUp?: NotCovered;
}

/** Asks the ledger, and once credits were bought asks again: the request that ran dry proceeds. Without top-ups it asks
 *  once. However often credits come and go meanwhile, it ends within a few rounds. */
export async function withTopUp<Outcome extends { readonly kind: string }>(
  topUps: TopUps | undefined,
  accountId: AccountId,
  ask: () => Promise<Outcome>,
): Promise<Outcome & WithTopUp> {
  let outcome = await ask();
  for (let round = 0; round < ROUNDS && topUps !== undefined && isShort(outcome); round++) {
    const missing = outcome.kind === "in_debt" ? outcome.owed : outcome.missing;
    // Where nobody can say, the refusal stands.
    const covering = await topUps
      .cover(accountId, missing)
      .catch((): Covering => ({ kind: "not_covered", reason: "unavailable" }));
    if (covering.kind === "not_covered") return { ...outcome, topUp: covering.reason };
    outcome = await ask();
  }
  return outcome;
}

const ROUNDS = 3;

function isShort(outcome: { readonly kind: string }): outcome is Refused {
  return outcome.kind === "insufficient_credits" || outcome.kind === "in_debt";
}
