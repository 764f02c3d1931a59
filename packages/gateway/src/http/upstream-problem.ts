import type { UpstreamFailure } from "../upstream/failure.ts";
import type { Problem } from "./problem.ts";

/** What a caller is told when an upstream fails. Nothing of our own key, address or settings. */
export function upstreamProblem(failure: UpstreamFailure): Problem {
  switch (failure.kind) {
    case "request_refused": {
      const { status, message, param, code } = failure;
      return { code: "invalid_request", status, message, param, facts: code === null ? {} : { code } };
    }
    case "rate_limited": {
      const message = "The model's provider limits requests just now. Try again later.";
      return { code: "rate_limited", message, retryAfterSeconds: failure.retryAfterSeconds };
    }
    case "misconfigured":
    case "broken":
      return { code: "upstream_failed", message: "The model's provider failed to answer. Nothing was charged." };
    case "timed_out":
      return { code: "upstream_timeout", message: "The model's provider did not answer in time. Nothing was charged." };
    case "breaker_open":
      return { code: "unavailable", message: "The model's provider is down just now. Try again in some seconds." };
    case "called_off":
      return { code: "unavailable", message: "The request was cancelled." };
  }
}

/** The same once a part of the answer has been delivered, and charged. */
export function brokenStreamProblem(failure: UpstreamFailure): Problem {
  if (failure.kind === "timed_out")
    return { code: "upstream_timeout", message: "The model's provider stopped sending before the answer was complete." };
  return { code: "upstream_failed", message: "The model's provider failed before the answer was complete." };
}
