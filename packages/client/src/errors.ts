import type { ErrorBody, ErrorCode } from "@bursar/contract/errors";

type OtherText = string & Record<never, never>;

export interface Refusal {
  readonly status: number;
  readonly code: ErrorCode | OtherText;
  readonly type: string;
  readonly message: string;
  readonly param: string | null;
  readonly requestId: string | null;
  readonly available?: string;
  readonly missing?: string;
}

/** The server answered, and the answer was no. */
export class BursarError extends Error {
  override readonly name = "BursarError";
  readonly status: number;
  /** One of the contract's codes; `unrecognised_answer` when what answered is not Bursar. */
  readonly code: ErrorCode | OtherText;
  readonly type: string;
  /** The field at fault, where there is one. */
  readonly param: string | null;
  /** What `getReceipt` and the server's log know this request by. */
  readonly requestId: string | null;
  /** For too few credits: what is there, and what is missing, in credits. */
  readonly available: string | undefined;
  readonly missing: string | undefined;

  constructor(refusal: Refusal) {
    super(refusal.message);
    this.status = refusal.status;
    this.code = refusal.code;
    this.type = refusal.type;
    this.param = refusal.param;
    this.requestId = refusal.requestId;
    this.available = refusal.available;
    this.missing = refusal.missing;
  }

  /** The body that the server sent, for logs and for passing on. */
  toJSON(): { readonly error: Omit<Refusal, "status"> } {
    const { type, code, message, param, requestId, available, missing } = this;
    const credits = { ...(available && { available }), ...(missing && { missing }) };
    return { error: { type, code, message, param, requestId, ...credits } };
  }
}

/** Why there was no answer. After the first three the request was surely not received. */
export type Silence = "refused" | "unknown_host" | "blocked_port" | "timeout" | "connection_lost";

/** No answer came, after all retries. Whether a write was done is open: call again with `operationId` as its id, and
 *  it is done once. */
export class BursarUnreachable extends Error {
  override readonly name = "BursarUnreachable";
  readonly url: string;
  readonly reason: Silence;
  readonly operationId: string | undefined;

  constructor(url: string, reason: Silence, message: string, operationId?: string, cause?: unknown) {
    super(message, { cause });
    this.url = url;
    this.reason = reason;
    this.operationId = operationId;
  }
}

/** Reads the body of an answer that is not a success. */
export function errorFrom(status: number, text: string, headers: Headers, url: string): BursarError {
  const error = bursarErrorIn(text);
  if (error === null) return unrecognised(status, text, headers, url);
  const { code, type, message, param, requestId, available, missing } = error;
  return new BursarError({
    status,
    code,
    type,
    message,
    param: param ?? null,
    requestId: requestId ?? headers.get("x-request-id"),
    ...(available === undefined ? {} : { available }),
    ...(missing === undefined ? {} : { missing }),
  });
}

/** The shape that only Bursar gives; null for a proxy's page or another service. */
function bursarErrorIn(text: string): ErrorBody["error"] | null {
  const body = jsonOrNull(text);
  return isErrorBody(body) ? body.error : null;
}

function isErrorBody(body: unknown): body is ErrorBody {
  if (typeof body !== "object" || body === null || !("error" in body)) return false;
  const { error } = body;
  if (typeof error !== "object" || error === null) return false;
  return "code" in error && typeof error.code === "string" && "message" in error;
}

export function unrecognised(status: number, text: string, headers: Headers, url: string): BursarError {
  const location = headers.get("location");
  const hint =
    location === null
      ? "Is the address right, and does nothing stand in between?"
      : `It points to ${location}.`;
  const start = text.replace(/\s+/g, " ").trim().slice(0, 80);
  const excerpt = start === "" ? "" : ` (“${start}”)`;
  return new BursarError({
    status,
    code: "unrecognised_answer",
    type: "unrecognised_answer",
    message: `${url} answered ${status}, but not as Bursar does${excerpt}. ${hint}`,
    param: null,
    requestId: headers.get("x-request-id"),
  });
}

export function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
