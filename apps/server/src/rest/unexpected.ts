import { isUnavailable } from "@bursar/engine/ledger/unavailable";
import { NoPriceBook } from "@bursar/engine/price/prices";
import type { RestDeps } from "./context.ts";
import type { Problem } from "./problem.ts";

/** Fails closed: what cannot be known is a no. What happened is in the log, under the request id. */
export function unexpected(
  deps: Pick<RestDeps, "log">,
  error: unknown,
  requestId: string,
  where: string,
): Problem {
  if (error instanceof NoPriceBook) return { problem: "unavailable", message: error.message };
  if (isUnavailable(error)) {
    deps.log.warn({ err: error, requestId, where }, "answered unavailable");
    return { problem: "unavailable", message: "The ledger cannot be reached; ask again under the same id" };
  }
  deps.log.error({ err: error, requestId, where }, "unexpected error");
  return {
    problem: "internal",
    message: "Something went wrong on our side; the request id names it in the log",
  };
}
