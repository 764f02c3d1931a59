import { isObject } from "../ask/fields.ts";
import { broken, timedOut, type UpstreamFailure } from "./failure.ts";

const MESSAGE_LIMIT = 1000;

interface Refused {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: string;
}

/** Sorts an upstream's answer that is not a success by whose fault it is. */
export function failureOf(answer: Refused): UpstreamFailure {
  const { status } = answer;
  const error = errorIn(answer.body);
  const detail = `status ${status}: ${error.message}`;
  if (status === 429) {
    // Our own account with the provider is empty: waiting does not help, and it is not the caller's limit.
    if (error.code === "insufficient_quota") return { kind: "misconfigured", detail };
    return { kind: "rate_limited", retryAfterSeconds: secondsOf(answer.retryAfter) };
  }
  const isOurKey = error.param === null && KEYS_FAULT.test(error.message);
  if (CALLERS_FAULT.has(status) && !isOurKey) return { kind: "request_refused", status, ...error };
  if (status === 408 || status === 504) return timedOut(detail);
  return status >= 500 ? broken(detail) : { kind: "misconfigured", detail };
}

/** The request itself is at fault. 401, 403 and 404 are about our key and our settings. */
const CALLERS_FAULT: ReadonlySet<number> = new Set([400, 413, 415, 422]);

/** Some say 400 of a key, too. It is ours, and the message may hold it; but where a field is named, that is the caller's. */
const KEYS_FAULT = /api.?key/i;

function errorIn(body: string): { message: string; param: string | null; code: string | null } {
  const error = errorObject(body);
  const text = (value: unknown) => (typeof value === "string" ? value.slice(0, MESSAGE_LIMIT) : null);
  return {
    message: text(error["message"]) ?? "The model's provider refused the request.",
    param: text(error["param"]),
    code: text(error["code"]),
  };
}

/** Gemini answers with a list of one. */
function errorObject(body: string): Readonly<Record<string, unknown>> {
  try {
    const json: unknown = JSON.parse(body);
    const parsed: unknown = Array.isArray(json) ? json[0] : json;
    if (!isObject(parsed)) return {};
    return isObject(parsed["error"]) ? parsed["error"] : parsed;
  } catch {
    return {};
  }
}

/** Seconds, or an HTTP date. */
function secondsOf(retryAfter: string | undefined): number | null {
  if (retryAfter === undefined) return null;
  const seconds = Number(retryAfter);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const until = Date.parse(retryAfter);
  return Number.isNaN(until) ? null : Math.max(0, Math.ceil((until - Date.now()) / 1000));
}
