/** An answer that is not 200, in the shape that OpenAI's own clients take apart. */
export interface ApiError {
  status: number;
  headers: Record<string, string>;
  error: { message: string; type: string; param: string | null; code: string | null };
}

/** Bad input, named by field. Status 400. */
export function invalidRequest(message: string, param: string | null, code: string | null = null): ApiError {
  return { status: 400, headers: {}, error: { message, type: "invalid_request_error", param, code } };
}

export function unknownModel(model: string): ApiError {
  const message = `The model \`${model}\` does not exist or you do not have access to it.`;
  return { ...invalidRequest(message, null, "model_not_found"), status: 404 };
}

export function wrongKey(shownKey: string | null): ApiError {
  const message =
    shownKey === null
      ? "You didn't provide an API key. Send it in an Authorization header: Bearer YOUR_KEY."
      : `Incorrect API key provided: ${shownKey}.`;
  return { ...invalidRequest(message, null, shownKey === null ? null : "invalid_api_key"), status: 401 };
}

export function unknownPath(method: string, path: string): ApiError {
  return { ...invalidRequest(`Invalid URL (${method} ${path})`, null), status: 404 };
}

const wordings: Record<number, { message: string; type: string; code: string | null }> = {
  401: { message: "Incorrect API key provided.", type: "invalid_request_error", code: "invalid_api_key" },
  402: { message: "Payment is required.", type: "invalid_request_error", code: "payment_required" },
  429: { message: "Rate limit reached for requests.", type: "requests", code: "rate_limit_exceeded" },
  500: {
    message: "The server had an error while processing your request. Sorry about that!",
    type: "server_error",
    code: null,
  },
  503: {
    message: "The engine is currently overloaded, please try again later.",
    type: "server_error",
    code: null,
  },
};

/** The error a fault asks for, worded as OpenAI words that status. `retryAfterSeconds` becomes the header. */
export function askedError(ask: {
  status: number;
  code?: string;
  message?: string;
  retryAfterSeconds?: number;
}): ApiError {
  const fallback = ask.status < 500 ? wordings[402] : wordings[500];
  const wording = wordings[ask.status] ?? {
    ...fallback,
    message: `Sandbox fault ${ask.status}.`,
    code: null,
  };
  return {
    status: ask.status,
    headers: ask.retryAfterSeconds === undefined ? {} : { "retry-after": String(ask.retryAfterSeconds) },
    error: {
      message: ask.message ?? wording.message,
      type: ask.code === "insufficient_quota" ? "insufficient_quota" : (wording.type ?? "server_error"),
      param: null,
      code: ask.code ?? wording.code,
    },
  };
}
