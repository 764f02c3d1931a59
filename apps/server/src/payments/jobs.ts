import type { Deps } from "@bursar/engine/deps";
import type { AdvanceDeps } from "@bursar/engine/payment/advance";
import { carryOnPayments } from "@bursar/engine/payment/due";
import { type EventHandlers, processEvents } from "@bursar/engine/payment-event/process";
import { catchUpEvents } from "@bursar/engine/payment-event/resend";
import { watchTopUps } from "@bursar/engine/topup/watch";
import type { Job } from "../background.ts";

/** What happens by itself where a payment provider is set. */
export function paymentJobs(
  deps: AdvanceDeps & Pick<Deps, "prices" | "secrets">,
  handlers: EventHandlers,
): Job[] {
  return [
    { name: "payment events", run: () => processEvents(deps, handlers) },
    { name: "payments", run: () => carryOnPayments(deps) },
    { name: "top-ups", run: watchTopUps(deps) },
    { name: "lost payment events", run: catchUpEvents(deps, handlers) },
  ];
}
