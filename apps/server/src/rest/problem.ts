import { ERRORS, type ErrorBody, type ErrorCode, type ErrorFacts } from "@bursar/contract/errors";
import { formatCredits } from "@bursar/contract/money";
import type { CommandKind, Refusal } from "@bursar/engine/ledger/command";
import type { NotCovered, WithTopUp } from "@bursar/engine/topup/cover";

/** An answer that is not a success. Public text only: what happened inside goes to the log, under the request id. */
export interface Problem {
  readonly problem: ErrorCode;
  readonly message: string;
  readonly param?: string | null;
  readonly available?: string;
  readonly missing?: string;
  /** Whole seconds, told in the header too. */
  readonly retryAfterSeconds?: number;
  /** More facts of the refusal that help its caller go on. */
  readonly extra?: ErrorFacts;
}

export function isProblem(value: unknown): value is Problem {
  return typeof value === "object" && value !== null && "problem" in value;
}

export function problemBody(problem: Problem, requestId: string): ErrorBody {
  const { problem: code, message, param = null, available, missing, retryAfterSeconds, extra } = problem;
  const type = ERRORS[code].type;
  const facts = defined({ available, missing, retryAfterSeconds });
  return { error: { type, code, message, param, requestId, ...facts, ...extra } };
}

/** What the headers of a problem's answer say besides. */
export function problemHeaders({ retryAfterSeconds }: Problem): Record<string, string> {
  return retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) };
}

export function answerProblem(problem: Problem, requestId: string): Response {
  const init = {
    status: ERRORS[problem.problem].status,
    headers: { "x-request-id": requestId, ...problemHeaders(problem) },
  };
  return Response.json(problemBody(problem, requestId), init);
}

function defined<T extends Record<string, unknown>>(fields: T): { [K in keyof T]: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: NonNullable<T[K]>;
  };
}

/** What people read of each refusal of the ledger. */
export function refused(refusal: Refusal & WithTopUp, operation?: CommandKind): Problem {
  const problem = refusedByLedger(refusal, operation);
  if (refusal.topUp === undefined || refusal.topUp === "disabled") return problem;
  const message = `${problem.message}; ${TOP_UP[refusal.topUp]}`;
  return { ...problem, message, extra: { ...problem.extra, topUp: refusal.topUp } };
}

/** What came of the auto top-up that might have helped. */
const TOP_UP: Record<Exclude<NotCovered, "disabled">, string> = {
  suspended: "auto top-up waits until a dispute or a refund is over",
  no_payment_method: "auto top-up has no payment method that can be charged, and is switched off",
  declined: "the payment for the auto top-up was declined",
  unavailable: "the payment provider cannot be reached, so auto top-up must wait",
  not_needed: "one auto top-up would not be enough for it",
  in_cooldown: "auto top-up has just bought credits and waits before it buys again",
  cap_reached: "auto top-up has reached the cap of its policy",
  not_sold: "auto top-up cannot buy: credits are not sold in its currency",
  requires_action: "the payment for the auto top-up has to be confirmed by its owner",
  timed_out: "the auto top-up is still under way",
};

function refusedByLedger(refusal: Refusal, operation?: CommandKind): Problem {
  switch (refusal.kind) {
    case "insufficient_credits": {
      const available = formatCredits(refusal.available);
      const missing = formatCredits(refusal.missing);
      const message = `Not enough credits: ${available} available, ${missing} missing`;
      return { problem: "insufficient_credits", message, available, missing };
    }
    case "in_debt": {
      const missing = formatCredits(refusal.owed);
      const message = `The account owes ${missing} credits; nothing new can be used until that is paid`;
      return { problem: "in_debt", message, available: "0", missing };
    }
    case "cap_exceeded": {
      const { id, limit, window } = refusal.cap;
      const span = window === "total" ? "in total" : `a ${window}`;
      const message = `The cap of ${id} is ${formatCredits(limit)} credits ${span}, and ${formatCredits(refusal.used)} are used`;
      return { problem: "cap_exceeded", message };
    }
    case "parent_exhausted": {
      const left = formatCredits(refusal.left);
      return {
        problem: "parent_exhausted",
        message: `The hold ${refusal.parentId} has ${left} credits left`,
        param: "parentId",
      };
    }
    case "account_frozen":
      return { problem: "account_frozen", message: "The account is frozen" };
    case "account_unknown":
      return {
        problem: "account_unknown",
        message: `There is no account ${refusal.accountId}`,
        param: "accountId",
      };
    case "key_conflict":
      return { problem: "key_conflict", message: "This id was used before for another request", param: "id" };
    case "hold_unknown":
      return { problem: "hold_unknown", message: `There is no hold ${refusal.holdId}`, param: "id" };
    case "hold_closed":
      return { problem: "hold_closed", message: `The hold ${refusal.holdId} is closed already`, param: "id" };
    case "hold_not_due":
      return { problem: "hold_not_due", message: `The hold ${refusal.holdId} has not expired`, param: "id" };
    case "grant_unknown":
      return { problem: "grant_unknown", message: `There is no grant ${refusal.grantId}`, param: "id" };
    case "grant_not_due":
      return {
        problem: "grant_not_due",
        message: `The grant ${refusal.grantId} has not expired`,
        param: "id",
      };
    case "amount_out_of_range": {
      return { problem: "amount_out_of_range", message: rangeOf(refusal, operation), param: "amount" };
    }
    case "too_many_holds": {
      const message = `The account has ${refusal.limit} holds open, and cannot have more: settle or release some`;
      return { problem: "too_many_holds", message };
    }
    case "key_revoked":
      return { problem: "key_revoked", message: "This API key has been revoked" };
    case "key_expired":
      return { problem: "key_expired", message: "This API key has expired" };
  }
}

function rangeOf(
  { countable }: Extract<Refusal, { kind: "amount_out_of_range" }>,
  operation: CommandKind | undefined,
): string {
  if (countable !== undefined)
    return `must be at most ${formatCredits(countable)}: the account cannot count more in all`;
  return operation === "revoke"
    ? "must not be above what was granted"
    : "must be more than 0 and at most 1000000000";
}

export function modelUnknown(model: string): Problem {
  return {
    problem: "model_unknown",
    message: `The model "${model}" has no price, so it cannot be used; GET /v1/models lists those that have one`,
    param: "model",
  };
}

export function featureUnknown(feature: string): Problem {
  return { problem: "feature_unknown", message: `The feature "${feature}" has no price`, param: "feature" };
}
