import type { Deps } from "@bursar/engine/deps";
import { freezeReturned } from "@bursar/engine/payment/disputes";
import { carryOnPayments } from "@bursar/engine/payment/due";
import { carryOnRefunds } from "@bursar/engine/payment/refund";
import { type EventDeps, type EventHandlers, processEvents } from "@bursar/engine/payment-event/process";
import { catchUpEvents } from "@bursar/engine/payment-event/resend";
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
    { name: "top-ups", run: watchTopUps(deps) },
    { name: "lost payment events", run: catchUpEvents(deps, handlers) },
  ];
}
