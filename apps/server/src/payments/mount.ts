import type { AdvanceDeps } from "@bursar/engine/payment/advance";
import { processEvents } from "@bursar/engine/payment-event/process";
import type { Hono } from "hono";
import { EVENT_HANDLERS } from "./handlers.ts";
import { mountPaymentPages } from "./pages.ts";
import { mountWebhook } from "./webhook.ts";

type Deps = AdvanceDeps & { readonly identity: { readonly url: () => string } };

/** The payment provider's way in, and people's way back from its pages. */
export function mountPayments(app: Hono, deps: Deps): void {
  mountWebhook(app, deps, () => {
    processEvents(deps, EVENT_HANDLERS).catch((error: unknown) =>
      deps.log.warn({ err: error }, "payment events wait for the background"),
    );
  });
  mountPaymentPages(app, deps);
}
