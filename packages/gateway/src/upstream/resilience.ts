import { DelegateBackoff, handleWhenResult, retry } from "cockatiel";
import type { GatewaySettings } from "../settings.ts";
import { Breaker } from "./breaker.ts";
import { isUnhealthy, type UpstreamFailure } from "./failure.ts";

/** Tries a call of an account: again if that can help, and not at all while the upstream is known to be down. */
export type Resilience = <Success extends { readonly kind: string }>(
  accountId: string,
  attempt: () => Promise<Success | UpstreamFailure>,
) => Promise<Success | UpstreamFailure>;

type Settings = Pick<
  GatewaySettings,
  "retries" | "retryDelayMilliseconds" | "retryAfterSeconds" | "breakerFailures" | "breakerSeconds"
>;

/** One per upstream: its breaker and its budget of retries are shared by all calls. */
export function openResilience(settings: Settings): Resilience {
  const budget = openRetryBudget();
  const breaker = new Breaker(settings);
  const retrying = retry(
    handleWhenResult((result) => mayRetry(result as UpstreamFailure, settings) && budget.take()),
    { maxAttempts: settings.retries, backoff: backoffOf(settings) },
  );
  return async (accountId, attempt) => {
    if (!breaker.admits(accountId)) return { kind: "breaker_open" };
    budget.earn();
    const result = await retrying.execute(attempt);
    const failure = result as UpstreamFailure;
    if (isUnhealthy(failure)) breaker.failed(accountId);
    // Who leaves has not seen what would have come.
    else if (failure.kind !== "called_off") breaker.succeeded();
    return result;
  };
}

/** Time-outs are not repeated: the caller has waited long enough. */
function mayRetry(result: UpstreamFailure, settings: Settings): boolean {
  if (result.kind === "broken") return true;
  return result.kind === "rate_limited" && (result.retryAfterSeconds ?? 0) <= settings.retryAfterSeconds;
}

/** Doubles, with full jitter, so that callers who failed together do not come back together; never sooner than the
 *  upstream asked. */
function backoffOf(settings: Settings) {
  return new DelegateBackoff<{ attempt: number; result: unknown }>(({ attempt, result }) => {
    const failure = (result as { value?: UpstreamFailure }).value;
    const asked = failure?.kind === "rate_limited" ? (failure.retryAfterSeconds ?? 0) * 1000 : 0;
    return asked + Math.random() * settings.retryDelayMilliseconds * 2 ** (attempt - 1);
  });
}

const BUDGET_LIMIT = 10;
const EARNED_PER_CALL = 0.2;

/** Retries may add a fifth to an upstream's load, not more: else they keep it down when it struggles. */
function openRetryBudget() {
  let left = BUDGET_LIMIT;
  return {
    earn: () => {
      left = Math.min(BUDGET_LIMIT, left + EARNED_PER_CALL);
    },
    take: () => {
      if (left < 1) return false;
      left -= 1;
      return true;
    },
  };
}
