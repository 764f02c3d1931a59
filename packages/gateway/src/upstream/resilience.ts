import {
  BrokenCircuitError,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  DelegateBackoff,
  handleWhenResult,
  retry,
} from "cockatiel";
import type { GatewaySettings } from "../settings.ts";
import { isUnhealthy, type UpstreamFailure } from "./failure.ts";

/** Runs a try: again if that can help, and not at all while the upstream is known to be down. */
export type Resilience = <Success extends { readonly kind: string }>(
  attempt: () => Promise<Success | UpstreamFailure>,
) => Promise<Success | UpstreamFailure>;

type Settings = Pick<
  GatewaySettings,
  "retries" | "retryDelayMilliseconds" | "retryAfterSeconds" | "breakerFailures" | "breakerSeconds"
>;

/** One per upstream: its breaker and its budget of retries are shared by all calls. */
export function openResilience(settings: Settings): Resilience {
  const budget = openRetryBudget();
  const retrying = retry(
    handleWhenResult((result) => mayRetry(result as UpstreamFailure, settings) && budget.take()),
    { maxAttempts: settings.retries, backoff: backoffOf(settings) },
  );
  const breaker = circuitBreaker(
    handleWhenResult((result) => isUnhealthy(result as UpstreamFailure)),
    {
      halfOpenAfter: settings.breakerSeconds * 1000,
      breaker: new ConsecutiveBreaker(settings.breakerFailures),
    },
  );
  return async (attempt) => {
    budget.earn();
    // cockatiel lets others wait for the one call that probes; a caller with a fallback is better off with a no.
    const once = async () => {
      if (breaker.state === CircuitState.HalfOpen) return BREAKER_OPEN;
      return breaker.execute(attempt).catch(breakerOpenOrThrow);
    };
    return retrying.execute(once);
  };
}

const BREAKER_OPEN: UpstreamFailure = { kind: "breaker_open" };

function breakerOpenOrThrow(error: unknown): UpstreamFailure {
  if (error instanceof BrokenCircuitError) return BREAKER_OPEN;
  throw error;
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
