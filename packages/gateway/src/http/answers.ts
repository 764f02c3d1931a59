import { ERRORS, type ErrorCode } from "@bursar/contract/errors";
import { formatCredits } from "@bursar/contract/money";
import type { Refusal } from "@bursar/engine/ledger/command";
import type { Opened } from "../bill/open.ts";
import type { UpstreamFailure } from "../upstream/failure.ts";

/** An error as OpenAI's clients read it, with our own facts beside theirs. */
export interface ErrorFacts {
  readonly code: ErrorCode;
  readonly message: string;
  readonly param?: string | null;
  /** Where an upstream's own status says it better. */
  readonly status?: number;
  readonly retryAfterSeconds?: number | null;
  readonly extra?: Readonly<Record<string, unknown>>;
}

export function errorBody(facts: ErrorFacts, requestId: string) {
  const { code, message, param = null, extra } = facts;
  return { error: { message, type: ERRORS[code].type, param, code, requestId, ...extra } };
}

export function errorAnswer(facts: ErrorFacts, requestId: string): Response {
  const headers: Record<string, string> = { "x-request-id": requestId };
  if (facts.retryAfterSeconds != null) headers["retry-after"] = String(Math.ceil(facts.retryAfterSeconds));
  return Response.json(errorBody(facts, requestId), {
    status: facts.status ?? ERRORS[facts.code].status,
    headers,
  });
}

export const SHUTTING_DOWN: ErrorFacts = {
  code: "unavailable",
  message: "This server is shutting down; ask again",
  retryAfterSeconds: 1,
};

/** What a caller is told of a failed upstream. Our keys and addresses stay in the log. */
export function failureFacts(failure: UpstreamFailure): ErrorFacts {
  switch (failure.kind) {
    case "request_refused": {
      const { status, message, param, code } = failure;
      // The upstream's own code, such as context_length_exceeded, is what clients act on.
      return { code: "invalid_request", status, message, param, extra: code === null ? {} : { code } };
    }
    case "rate_limited": {
      const message = "The model's provider takes no more requests just now.";
      return { code: "rate_limited", message, retryAfterSeconds: failure.retryAfterSeconds };
    }
    case "misconfigured":
    case "broken":
      return {
        code: "upstream_failed",
        message: "The model's provider failed to answer, or to answer in full.",
      };
    case "too_large": {
      const message =
        "The model's answer is larger than this server takes in one piece; ask for less at once.";
      return { code: "upstream_failed", message };
    }
    case "timed_out":
      return { code: "upstream_timeout", message: "The model's provider did not answer in time." };
    case "breaker_open": {
      const message = "The model's provider has failed repeatedly and is given a pause.";
      return { code: "unavailable", message, retryAfterSeconds: 5 };
    }
    case "called_off":
      return { code: "unavailable", message: "The request was called off." };
  }
}

/** The gate's no, with what would be affordable. */
export function refusalFacts(refused: Extract<Opened, { kind: "refused" }>): ErrorFacts {
  const { refusal, affordable } = refused;
  const message = messageOf(refusal);
  const { topUp } = refusal;
  const extra = {
    ...amountsOf(refusal),
    ...(affordable === undefined ? {} : { affordable }),
    ...(topUp === undefined ? {} : { topUp }),
  };
  return { code: refusal.kind, message, extra };
}

function messageOf(refusal: Refusal): string {
  switch (refusal.kind) {
    case "insufficient_credits": {
      const missing = formatCredits(refusal.missing);
      return `Not enough credits: ${formatCredits(refusal.available)} available, ${missing} missing`;
    }
    case "in_debt":
      return `The account owes ${formatCredits(refusal.owed)} credits`;
    case "cap_exceeded":
      return `The cap of ${formatCredits(refusal.cap.limit)} credits is used up: ${formatCredits(refusal.used)}`;
    case "parent_exhausted":
      return `The run has ${formatCredits(refusal.left)} credits left`;
    case "hold_closed":
      return "The run has ended";
    case "account_frozen":
      return "The account is frozen";
    case "too_many_holds":
      return "Too much is under way on the account at once";
    case "key_revoked":
      return "This API key has been revoked";
    case "key_expired":
      return "This API key has expired";
    default:
      return `Refused: ${refusal.kind}`;
  }
}

function amountsOf(refusal: Refusal): Record<string, string> {
  if (refusal.kind !== "insufficient_credits") return {};
  return { available: formatCredits(refusal.available), missing: formatCredits(refusal.missing) };
}
