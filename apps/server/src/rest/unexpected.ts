import type { Log } from "@bursar/engine/deps";
import { isUnavailable } from "@bursar/engine/ledger/unavailable";
import { NoPriceBook } from "@bursar/engine/price/prices";
import type { RestDeps } from "./context.ts";
import type { Problem } from "./problem.ts";

/** Fails closed: what cannot be known is a no. What happened is in the log, under the request id; of an outage, which
 *  refuses everything, once a second. */
export function unexpected(
  deps: Pick<RestDeps, "log">,
  error: unknown,
  requestId: string,
  where: string,
): Problem {
  if (error instanceof NoPriceBook) return { problem: "unavailable", message: error.message };
  if (isUnavailable(error)) {
    tellOutage(deps.log, error, { requestId, where });
    return { problem: "unavailable", message: "The ledger cannot be reached; ask again under the same id" };
  }
  deps.log.error({ err: error, requestId, where }, "unexpected error");
  return {
    problem: "internal",
    message: "Something went wrong on our side; the request id names it in the log",
  };
}

const PAUSE_MILLISECONDS = 1000;

interface Told {
  until: number;
  untold: number;
}

const outages = new WeakMap<object, Map<string, Told>>();

/** A line for every request would fill the disk, which may be what has failed: the same reason is told once a second,
 *  with how many were not. */
function tellOutage(log: Log, error: unknown, facts: { requestId: string; where: string }): void {
  const reasons = outages.get(log) ?? new Map<string, Told>();
  outages.set(log, reasons);
  const reason = reasonOf(error);
  const last = reasons.get(reason);
  if (last !== undefined && performance.now() < last.until) {
    last.untold++;
    return;
  }
  log.warn({ err: error, ...facts, untold: last?.untold ?? 0 }, "answered unavailable");
  reasons.set(reason, { until: performance.now() + PAUSE_MILLISECONDS, untold: 0 });
}

/** What kind of failure it is: there are few. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  return "code" in error ? String(error.code) : error.name;
}
