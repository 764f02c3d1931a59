import { accountsOutOfBalance } from "@bursar/engine/ledger/store-read";
import { countMails } from "@bursar/engine/mail/store";
import { countEvents } from "@bursar/engine/payment-event/store";
import type { Hono } from "hono";
import type { Pool } from "pg";
import { collectDefaultMetrics, Gauge, Registry } from "prom-client";

export interface MetricsDeps {
  readonly pool: Pool;
  readonly sockets?: { readonly size: number } | undefined;
}

/** What is read of the database is shared by all who ask within this time: anybody may, and each reading goes through
 *  all accounts. */
const FRESH_MILLISECONDS = 5000;

/** `GET /metrics`: invariant 1 and 2 over all account rows, how the outbox and the payment provider's events stand, and
 *  the process. It answers also
 *  while the database is away, and then says so: what could not be read is NaN or left out, and never 0. */
export function mountMetrics(app: Hono, deps: MetricsDeps): void {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const reachable = gauge("bursar_database_reachable", "Whether the database answered this scrape: 1 or 0");
  const balance = gauge(
    "bursar_accounts_out_of_balance",
    "Accounts whose issued credits are not where the ledger says; must be 0; NaN while it cannot be read",
  );
  const mails = gauge("bursar_mails", "Mails of the last 30 days by state: waiting, sent, given_up", [
    "state",
  ]);
  const events = gauge("bursar_payment_events", "The payment provider's events by state: waiting, parked", [
    "state",
  ]);
  const sockets = gauge("bursar_sockets", "Sockets that are open in this process");
  const read = shared(() =>
    Promise.all([accountsOutOfBalance(deps.pool), countMails(deps.pool), countEvents(deps.pool)]),
  );
  app.get("/metrics", async (context) => {
    mails.reset();
    events.reset();
    try {
      const [outOfBalance, { waiting, sent, givenUp }, { waiting: unread, parked }] = await read();
      balance.set(outOfBalance);
      for (const [state, count] of Object.entries({ waiting, sent, given_up: givenUp }))
        mails.set({ state }, count);
      events.set({ state: "waiting" }, unread);
      events.set({ state: "parked" }, parked);
      reachable.set(1);
    } catch {
      balance.set(Number.NaN);
      reachable.set(0);
    }
    sockets.set(deps.sockets?.size ?? 0);
    return context.text(await registry.metrics(), 200, { "content-type": registry.contentType });
  });
}

/** One reading at a time, and none while the last is fresh; one that failed is none. */
function shared<T>(read: () => Promise<T>): () => Promise<T> {
  let last: Promise<T> | undefined;
  let until = 0;
  return () => {
    if (last !== undefined && performance.now() < until) return last;
    until = Number.POSITIVE_INFINITY;
    const reading = read();
    last = reading;
    reading.then(
      () => (until = performance.now() + FRESH_MILLISECONDS),
      () => (last = undefined),
    );
    return reading;
  };
}
