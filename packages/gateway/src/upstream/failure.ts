/** Why an upstream gave no answer, or not all of it. */
export type UpstreamFailure =
  /** The caller's mistake: the upstream names it. */
  | {
      readonly kind: "request_refused";
      readonly status: number;
      readonly message: string;
      readonly param: string | null;
      readonly code: string | null;
    }
  | { readonly kind: "rate_limited"; readonly retryAfterSeconds: number | null }
  /** Our mistake: key, address or model name. For the log only, never for the caller. */
  | { readonly kind: "misconfigured"; readonly detail: string }
  | { readonly kind: "broken"; readonly detail: string }
  | { readonly kind: "timed_out"; readonly detail: string }
  /** More than is kept in memory. The same again would be as large. */
  | { readonly kind: "too_large" }
  | { readonly kind: "breaker_open" }
  /** Nobody waits any more: the client left, or we shut down. `isAnswered`: the upstream had begun by then. */
  | { readonly kind: "called_off"; readonly isAnswered: boolean };

export function broken(detail: string): UpstreamFailure {
  return { kind: "broken", detail };
}

export function timedOut(detail: string): UpstreamFailure {
  return { kind: "timed_out", detail };
}

/** What speaks against the upstream's health. A caller's mistake or departure does not. */
export function isUnhealthy(failure: UpstreamFailure): boolean {
  return failure.kind === "broken" || failure.kind === "timed_out";
}
