import { CREDIT_CODES } from "../refusals.ts";

/** Why a model gave no answer, or no whole one, in the words of this API. */
export interface ChatFailure {
  readonly status: 400 | 402 | 403 | 404 | 429 | 503 | 504;
  readonly code: string;
  readonly message: string;
  readonly retryAfter?: string;
}

export const MODEL_TIMEOUT: ChatFailure = {
  status: 504,
  code: "MODEL_TIMEOUT",
  message: "The model did not finish in time; what it had written by then is billed",
};

interface GatewayError {
  readonly code?: string;
  readonly message?: string;
}

/** What the gateway answers with, or ends a stream with. */
export function failureOf(error: GatewayError, retryAfter: string | null = null): ChatFailure {
  const { code = "", message = "The model gave no answer" } = error;
  if (CREDIT_CODES.has(code)) return { status: 402, code: "INSUFFICIENT_CREDITS", message };
  switch (code) {
    case "account_frozen":
      return { status: 403, code: "ACCOUNT_FROZEN", message };
    case "model_unknown":
      return { status: 404, code: "MODEL_UNKNOWN", message };
    case "rate_limited":
      return { status: 429, code: "RATE_LIMITED", message, ...(retryAfter === null ? {} : { retryAfter }) };
    case "upstream_timeout":
      return { ...MODEL_TIMEOUT, message };
    case "invalid_request":
      return { status: 400, code: "INVALID_REQUEST", message };
    default:
      return { status: 503, code: "MODEL_UNAVAILABLE", message };
  }
}
