import { addSeconds, type Instant } from "@bursar/contract/instant";
import type { Deps } from "@bursar/engine/deps";
import { freezeReturned } from "@bursar/engine/payment/disputes";
import { carryOnPayments } from "@bursar/engine/payment/due";
import { carryOnRefunds } from "@bursar/engine/payment/refund";
import { type EventDeps, type EventHandlers, processEvents } from "@bursar/engine/payment-event/process";
import { catchUpEvents } from "@bursar/engine/payment-event/resend";
import { isAnyWaiting } from "@bursar/engine/payment-event/store";
import { tendSubscriptions } from "@bursar/engine/subscription/tend";
import { watchTopUps } from "@bursar/engine/topup/watch";
import type { Job } from "../background/job.ts";

/** What happens by itself where a payment provider is set. */
export function paymentJobs(deps: EventDeps & Pick<Deps, "secrets">, handlers: EventHandlers): Job[] {
  const { subscriptions } = deps;
  const tending: Job[] =
    subscriptions === undefined
      ? []
      : [{ name: "subscriptions", run: () => tendSubscriptions({ ...deps, ...subscriptions }) }];
  return [
    ...tending,
    { name: "payment events", run: () => processEvents(deps, handlers) },
    { name: "payments", run: () => carryOnPayments(deps) },
    { name: "refunds", run: () => carryOnRefunds(deps) },
    { name: "disputes", run: () => freezeReturned(deps) },
    { name: "top-ups", run: topUps(deps, handlers) },
    { name: "lost payment events", run: catchUpEvents(deps, handlers) },
  ];
}

/** So long events are waited for that cannot be listed or processed, as where our key at the provider may not read them.
 *  What fails by itself is parked sooner. */
const HEARING_SECONDS = 600;

/** Buys nothing before this process has heard all that the provider has told: where the database was restored from a
 *  backup, an account that seems to run dry may have bought since. */
function topUps(deps: EventDeps & Pick<Deps, "secrets">, handlers: EventHandlers): Job["run"] {
  const watch = watchTopUps(deps);
  let begunAt: Instant | null = null;
  let listedAt: Instant | null = null;
  let hasHeard = false;
  const hear = async () => {
    begunAt ??= deps.clock.now();
    if (deps.clock.now() >= addSeconds(begunAt, HEARING_SECONDS)) return true;
    if (listedAt === null) await catchUpEvents(deps, handlers)();
    listedAt ??= deps.clock.now();
    while ((await processEvents(deps, handlers)) > 0);
    // Those that somebody else has taken, and those that the provider was too busy for.
    return !(await isAnyWaiting(deps.pool, listedAt));
  };
  return async () => {
    hasHeard ||= await hear();
    return hasHeard ? watch() : 0;
  };
}
