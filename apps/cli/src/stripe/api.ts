import type { Context } from "../context.ts";
import { Failure } from "../failure.ts";

/** Stripe as the developer's tools see it: the sandbox's, or a real test account. */
export interface StripeApi {
  readonly url: string;
  get(path: string): Promise<Answer>;
  post(path: string, fields?: Fields): Promise<Answer>;
  delete(path: string): Promise<Answer>;
}

export type Answer = Readonly<Record<string, unknown>>;
/** Nested with brackets, as Stripe's forms are: `{ "metadata[a]": "b" }`. */
export type Fields = Readonly<Record<string, string>>;

/** STRIPE_SECRET_KEY, else the sandbox's. Throws: neither is there, or the key is a live one, which tools must not use. */
export function stripeApi(context: Context): StripeApi {
  const { environment } = context;
  const sandbox = context.sandbox();
  const key = environment["STRIPE_SECRET_KEY"] ?? sandbox?.stripeKey;
  const url = environment["STRIPE_SECRET_KEY"] ? "https://api.stripe.com" : sandbox?.stripeUrl;
  if (key === undefined || url === undefined)
    throw new Failure("usage", "invalid_request", "No Stripe is known here.", [
      "Start the sandbox with npm start, or set STRIPE_SECRET_KEY to a test key.",
    ]);
  if (key.startsWith("sk_live_"))
    throw new Failure(
      "notAllowed",
      "invalid_request",
      "STRIPE_SECRET_KEY is a live key: this would move real money.",
    );
  return {
    url,
    get: (path) => call(url, key, "GET", path),
    post: (path, fields) => call(url, key, "POST", path, fields),
    delete: (path) => call(url, key, "DELETE", path),
  };
}

async function call(
  url: string,
  key: string,
  method: string,
  path: string,
  fields?: Fields,
): Promise<Answer> {
  const headers = { authorization: `Bearer ${key}` };
  const body = fields === undefined ? {} : { body: new URLSearchParams(fields) };
  const response = await fetch(url + path, {
    method,
    headers,
    ...body,
    signal: AbortSignal.timeout(30_000),
  }).catch((error: unknown) => {
    throw new Failure("unavailable", "unavailable", `Stripe does not answer at ${url}: ${String(error)}`);
  });
  const answer = (await response.json()) as Answer;
  if (response.ok || isDecline(answer)) return answer;
  const { message } = (answer["error"] ?? {}) as { message?: string };
  throw new Failure("refused", "invalid_request", `Stripe refused: ${message ?? response.status}`);
}

/** A declined card is what some triggers want. */
function isDecline(answer: Answer): boolean {
  return (answer["error"] as { type?: string } | undefined)?.type === "card_error";
}
