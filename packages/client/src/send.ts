import { errorFrom } from "./errors.ts";
import { type Patience, startPatience } from "./patience.ts";
import type { Request } from "./request.ts";
import { delayBeforeRetry, type Failure, type RetryPolicy, retryAfterMilliseconds, sleep } from "./retry.ts";
import { silenceOf, unreachable } from "./silence.ts";

export interface Link {
  readonly fetch: typeof globalThis.fetch;
  readonly retry: RetryPolicy;
}

export interface Sending {
  readonly request: Request;
  /** The longest silence. */
  readonly timeoutMilliseconds: number;
  readonly signal: AbortSignal | undefined;
  readonly isRepeatable: boolean;
  /** Named in the error, so that the caller can go on under the same id. */
  readonly operationId: string | undefined;
}

type Attempt<Value> =
  | { readonly kind: "done"; readonly value: Value }
  | { readonly kind: "failed"; readonly failure: Failure; readonly error: Error };

/** What a success is made into; `patience` is the taker's to end. */
export type Take<Value> = (response: Response, patience: Patience) => Promise<Value>;

/** Sends until there is an answer or no more hope.
 *  Throws: `BursarError` when the answer is no, `BursarUnreachable` when none came, the signal's reason when aborted. */
export async function send<Value>(link: Link, sending: Sending, take: Take<Value>): Promise<Value> {
  for (let retry = 0; ; retry++) {
    const attempt = await tryOnce(link, sending, take);
    if (attempt.kind === "done") return attempt.value;
    const delay = delayBeforeRetry(link.retry, attempt.failure, sending.isRepeatable, retry, Math.random());
    if (delay === null) throw attempt.error;
    await sleep(delay, sending.signal);
  }
}

async function tryOnce<Value>(link: Link, sending: Sending, take: Take<Value>): Promise<Attempt<Value>> {
  const { request, signal } = sending;
  signal?.throwIfAborted();
  const patience = startPatience(sending.timeoutMilliseconds, signal);
  try {
    const { method, url, headers, body } = request;
    const init = { method, headers, body, signal: patience.signal, redirect: "manual" } as const;
    const response = await link.fetch(url, init);
    if (response.ok) return { kind: "done", value: await take(response, patience) };
    return await refused(request, response, patience);
  } catch (error) {
    patience.end();
    patience.throwIfCallerGaveUp();
    const failure: Failure = { kind: "silent", reason: silenceOf(error) };
    return { kind: "failed", failure, error: unreachable(request.url, error, sending.operationId) };
  }
}

async function refused(request: Request, response: Response, patience: Patience): Promise<Attempt<never>> {
  const { status, headers } = response;
  const text = await response.text();
  patience.end();
  const wait = retryAfterMilliseconds(headers.get("retry-after"), Date.now());
  return {
    kind: "failed",
    failure: { kind: "answered", status, retryAfterMilliseconds: wait },
    error: errorFrom(status, text, headers, request.url),
  };
}
