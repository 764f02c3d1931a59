import { setTimeout as delay } from "node:timers/promises";
import type { AccountId, PaymentId } from "@bursar/contract/ids";
import { readPayment } from "../payment/store.ts";
import { type RequestNeed, type TopUpDeps, topUp } from "./buy.ts";
import type { Covering, NotCovered, TopUps } from "./cover.ts";
import { outcomeOf, type TopUpOutcome } from "./outcome.ts";
import { readTopUpBelow } from "./store-policies.ts";

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
