import { z } from "zod";

/** Every error code of REST v1, with its status and type. First come the ledger's refusals, named as there. */
export const ERRORS = {
  amount_out_of_range: { status: 422, type: "invalid_request_error" },
  account_unknown: { status: 404, type: "not_found_error" },
  key_conflict: { status: 409, type: "conflict_error" },
  hold_unknown: { status: 404, type: "not_found_error" },
  hold_closed: { status: 409, type: "conflict_error" },
  hold_not_due: { status: 409, type: "conflict_error" },
  grant_unknown: { status: 404, type: "not_found_error" },
  grant_not_due: { status: 409, type: "conflict_error" },
  account_frozen: { status: 403, type: "permission_error" },
  in_debt: { status: 402, type: "insufficient_credits" },
  cap_exceeded: { status: 402, type: "insufficient_credits" },
  parent_exhausted: { status: 402, type: "insufficient_credits" },
  insufficient_credits: { status: 402, type: "insufficient_credits" },

  payments_off: { status: 409, type: "conflict_error" },
  payment_failed: { status: 402, type: "payment_error" },
  payment_unavailable: { status: 503, type: "unavailable_error" },
  plan_unknown: { status: 404, type: "not_found_error" },
  subscription_unknown: { status: 404, type: "not_found_error" },
  subscription_exists: { status: 409, type: "conflict_error" },
  subscription_refused: { status: 409, type: "conflict_error" },
  account_exists: { status: 409, type: "conflict_error" },
  model_unknown: { status: 404, type: "not_found_error" },
  feature_unknown: { status: 404, type: "not_found_error" },
  organization_unknown: { status: 404, type: "not_found_error" },
  key_unknown: { status: 404, type: "not_found_error" },
  quota_anchor_fixed: { status: 409, type: "conflict_error" },
  mail_unknown: { status: 404, type: "not_found_error" },
  notice_unknown: { status: 404, type: "not_found_error" },
  receipt_unknown: { status: 404, type: "not_found_error" },
  price_book_conflict: { status: 409, type: "conflict_error" },
  invalid_request: { status: 422, type: "invalid_request_error" },
  invalid_json: { status: 400, type: "invalid_request_error" },
  body_too_large: { status: 413, type: "invalid_request_error" },
  unauthenticated: { status: 401, type: "authentication_error" },
  key_revoked: { status: 401, type: "authentication_error" },
  key_expired: { status: 401, type: "authentication_error" },
  admin_required: { status: 403, type: "permission_error" },
  not_found: { status: 404, type: "not_found_error" },
  method_not_allowed: { status: 405, type: "invalid_request_error" },
  rate_limited: { status: 429, type: "rate_limit_error" },
  upstream_failed: { status: 502, type: "upstream_error" },
  upstream_timeout: { status: 504, type: "upstream_error" },
  unavailable: { status: 503, type: "unavailable_error" },
  internal: { status: 500, type: "internal_error" },
} as const;

export type ErrorCode = keyof typeof ERRORS;

export const errorCode = z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]);

/** The body of every answer that is not a success. `param` names the field at fault, where there is one. */
export const errorBody = z.object({
  error: z.object({
    type: z.string(),
    code: errorCode,
    message: z.string(),
    param: z.string().nullable(),
    requestId: z.string(),
    /** For too few credits: what is there, and what is missing, in credits. */
    available: z.string().optional(),
    missing: z.string().optional(),
  }),
});

export type ErrorBody = z.infer<typeof errorBody>;
