import { type EventDeps, processEvents } from "@bursar/engine/payment-event/process";
import type { Hono } from "hono";
import { EVENT_HANDLERS } from "./handlers.ts";
import { mountPaymentPages } from "./pages.ts";
import { mountWebhook } from "./webhook.ts";

type Deps = EventDeps & { readonly identity: { readonly url: () => string } };

/** The payment provider's way in, and people's way back from its pages. */
export function mountPayments(app: Hono, deps: Deps): void {
  mountWebhook(app, deps, openRunner(deps));
  mountPaymentPages(app, deps);
}

/** Sees to events as they come, in one run at a time: what comes during a run is seen to by the next. */
function openRunner(deps: Deps): () => void {
  let isRunning = false;
  let isWanted = false;
  const run = async () => {
    isRunning = true;
    try {
      while (isWanted) {
        isWanted = false;
        if ((await processEvents(deps, EVENT_HANDLERS)) > 0) isWanted = true;
      }
    } catch (error) {
      deps.log.warn({ err: error }, "payment events wait for the background");
    } finally {
      isRunning = false;
    }
  };
  return () => {
    isWanted = true;
    if (!isRunning) void run();
  };
}
