import type { Log } from "@bursar/engine/deps";
import type { UpstreamFailure } from "./failure.ts";

/** What is ours to repair is an error, what the upstream does is a warning, and the rest is nobody's. */
export function logFailure(
  log: Log,
  { requestId, model }: { requestId: string; model: string },
  failure: UpstreamFailure,
): void {
  const facts = { requestId, model, failure };
  if (failure.kind === "misconfigured")
    log.error(facts, "an upstream refuses our key, address or model name");
  else if (LOGGED.has(failure.kind)) log.warn(facts, "an upstream failed");
}

const LOGGED: ReadonlySet<UpstreamFailure["kind"]> = new Set(["broken", "timed_out", "too_large"]);
