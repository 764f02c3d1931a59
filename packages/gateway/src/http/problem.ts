import { ERRORS, type ErrorCode } from "@bursar/contract/errors";
import { formatCredits } from "@bursar/contract/money";
import type { Affordable } from "@bursar/engine/gate/affordable";
import type { Refusal } from "@bursar/engine/ledger/command";

/** An answer that is not a success, in words for the caller. */
export interface Problem {
  readonly code: ErrorCode;
  readonly message: string;
  /** Where it is not the code's own, as when an upstream's status is handed on. */
  readonly status?: number;
  readonly param?: string | null;
  readonly retryAfterSeconds?: number | null;
  /** Further fields of the error. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** The `error` of a body or of an event, in OpenAI's shape with our fields added. */
export function errorOf(problem: Problem, requestId: string): object {
  const { code, message, param = null, facts } = problem;
  return { type: ERRORS[code].type, code, message, param, requestId, ...facts };
}

export function problemResponse(problem: Problem, requestId: string): Response {
  const { retryAfterSeconds } = problem;
  const headers: Record<string, string> = { "content-type": "application/json", "x-request-id": requestId };
  if (retryAfterSeconds !== undefined && retryAfterSeconds !== null)
    headers["retry-after"] = String(Math.ceil(retryAfterSeconds));
  const status = problem.status ?? ERRORS[problem.code].status;
  return new Response(JSON.stringify({ error: errorOf(problem, requestId) }), { status, headers });
}

export const UNAVAILABLE: Problem = {
  code: "unavailable",
  message: "The balance could not be checked just now, so the request was not sent to the model.",
};

export const CLOSING: Problem = { code: "unavailable", message: "The server is shutting down." };

/** What people read of a refusal. */
export function refusalProblem(refusal: Refusal, affordable?: Affordable): Problem {
  const facts = affordable === undefined ? {} : { affordable };
  switch (refusal.kind) {
    case "insufficient_credits": {
      const available = formatCredits(refusal.available);
      const missing = formatCredits(refusal.missing);
      const message = `Not enough credits: ${available} available, ${missing} missing.`;
      return { code: refusal.kind, message, facts: { available, missing, ...facts } };
    }
    case "in_debt": {
      const missing = formatCredits(refusal.owed);
      const message = `The account owes ${missing} credits; nothing new can be used until that is paid.`;
      return { code: refusal.kind, message, facts: { available: "0", missing } };
    }
    case "cap_exceeded": {
      const { limit, window } = refusal.cap;
      const span = window === "total" ? "in total" : `a ${window}`;
      const [most, used] = [formatCredits(limit), formatCredits(refusal.used)];
      return { code: refusal.kind, message: `The cap is ${most} credits ${span}, and ${used} are used.`, facts };
    }
    default:
      return { code: refusal.kind, message: MESSAGES[refusal.kind] };
  }
}

type OtherRefusal = Exclude<Refusal["kind"], "insufficient_credits" | "in_debt" | "cap_exceeded">;

const MESSAGES: Record<OtherRefusal, string> = {
  parent_exhausted: "The budget that this call draws from is used up.",
  account_frozen: "The account is frozen.",
  account_unknown: "There is no such account.",
  key_revoked: "This API key has been revoked.",
  key_expired: "This API key has expired.",
  key_conflict: "This request id was used before for another request.",
  hold_unknown: "The reservation of this request does not exist.",
  hold_closed: "The reservation of this request has ended.",
  hold_not_due: "The reservation of this request has not expired.",
  grant_unknown: "There is no such grant.",
  grant_not_due: "The grant has not expired.",
  amount_out_of_range: "The request could cost more than one request may.",
};
