import { paymentEventHandlers } from "@bursar/engine/payment-event/handlers";
import type { EventHandlers } from "@bursar/engine/payment-event/process";

/** Every event of the payment provider that means something here, and what does it. */
export const EVENT_HANDLERS: EventHandlers = { ...paymentEventHandlers };
