import { paymentEventHandlers } from "@bursar/engine/payment-event/handlers";
import type { EventHandlers } from "@bursar/engine/payment-event/process";
import { subscriptionEventHandlers } from "@bursar/engine/subscription/events";

/** Every event of the payment provider that means something here, and what does it. */
export const EVENT_HANDLERS: EventHandlers = joined(paymentEventHandlers, subscriptionEventHandlers);

/** Where an event may be about a purchase or about a subscription, both look; one that is about neither is ignored. */
function joined(first: EventHandlers, second: EventHandlers): EventHandlers {
  const types = new Set([...Object.keys(first), ...Object.keys(second)]);
  const handlers = [...types].map((type) => {
    const [one, other] = [first[type], second[type]];
    if (one === undefined || other === undefined) return [type, (one ?? other)!] as const;
    const both: typeof one = async (...about) => {
      const states = [await one(...about), await other(...about)];
      return states.includes("done") ? "done" : "ignored";
    };
    return [type, both] as const;
  });
  return Object.fromEntries(handlers);
}
