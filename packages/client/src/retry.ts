import type { Silence } from "./errors.ts";

export interface RetryPolicy {
  /** Attempts after the first; 0 for none. */
  readonly maxRetries: number;
  readonly firstDelayMilliseconds: number;
  /** Also the longest `retry-after` that is waited for; a longer one ends the call. */
  readonly longestDelayMilliseconds: number;
}

export const DEFAULT_RETRY: RetryPolicy = {
  maxRetries: 3,
  firstDelayMilliseconds: 200,
  longestDelayMilliseconds: 20_000,
};

/** What one attempt came to when it was no success. */
export type Failure =
  | { readonly kind: "answered"; readonly status: number; readonly retryAfterMilliseconds: number | null }
  | { readonly kind: "silent"; readonly reason: Silence };

const WORTH_RETRYING: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Milliseconds until the next attempt, or null to give up. `retry` counts from 0, `random` is 0 to 1.
 *  What cannot be repeated is retried only when the server surely did not do it. */
export function delayBeforeRetry(
  policy: RetryPolicy,
  failure: Failure,
  isRepeatable: boolean,
  retry: number,
  random: number,
): number | null {
  if (retry >= policy.maxRetries) return null;
  if (!mayHelp(failure) || !(isRepeatable || wasNotDone(failure))) return null;
  const ceiling = Math.min(policy.longestDelayMilliseconds, policy.firstDelayMilliseconds * 2 ** retry);
  const jittered = ceiling * (0.5 + random / 2);
  const asked = failure.kind === "answered" ? (failure.retryAfterMilliseconds ?? 0) : 0;
  return asked > policy.longestDelayMilliseconds ? null : Math.max(asked, jittered);
}

function mayHelp(failure: Failure): boolean {
  if (failure.kind === "silent") return failure.reason !== "blocked_port";
  return WORTH_RETRYING.has(failure.status);
}

function wasNotDone(failure: Failure): boolean {
  if (failure.kind === "answered") return failure.status === 429;
  return failure.reason === "refused" || failure.reason === "unknown_host";
}

/** `retry-after` is seconds or a date; null when it is neither. */
export function retryAfterMilliseconds(header: string | null, nowMilliseconds: number): number | null {
  if (header === null) return null;
  if (/^\d+(\.\d+)?$/.test(header.trim())) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, date - nowMilliseconds);
}

/** Rejects with the signal's reason when it is aborted before or meanwhile. */
export async function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  const abort = () => reject(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });
  await promise.finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  });
}
