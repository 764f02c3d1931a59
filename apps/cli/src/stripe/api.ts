import type { Context } from "../context.ts";
import { Failure } from "../failure.ts";

/** Stripe as the developer's tools see it: the sandbox's, or a real test account. */
export interface StripeApi {
  readonly url: string;
  get(path: string): Promise<Answer>;
  post(path: string, fields?: Fields): Promise<Answer>;
  delete(path: string): Promise<Answer>;
  /** What people and banks do, who have no API: the sandbox plays them. Throws: this is Stripe itself. */
  act(path: string, body: object): Promise<void>;
  /** Lets happen what is about to: the sandbox at once, Stripe within a moment. */
  settle(): Promise<void>;
}

export type Answer = Readonly<Record<string, unknown>>;
/** Nested with brackets, as Stripe's forms are: `{ "metadata[a]": "b" }`. */
export type Fields = Readonly<Record<string, string>>;

/** STRIPE_SECRET_KEY, else the sandbox's. Throws: neither is there, or the key is a live one, which tools must not use. */
export function stripeApi(context: Pick<Context, "environment" | "sandbox">): StripeApi {
  const { environment } = context;
  const sandbox = context.sandbox();
  const isSandbox = !environment["STRIPE_SECRET_KEY"];
  const key = isSandbox ? sandbox?.stripeKey : environment["STRIPE_SECRET_KEY"];
  const url = isSandbox ? sandbox?.stripeUrl : "https://api.stripe.com";
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
  return openStripeApi({ url, key, isSandbox });
}

/** `url` without a path. */
export function openStripeApi(at: {
  readonly url: string;
  readonly key: string;
  readonly isSandbox: boolean;
}): StripeApi {
  const { url, key, isSandbox } = at;
  const form = (fields: Fields | undefined) =>
    fields === undefined ? undefined : new URLSearchParams(fields);
  return {
    url,
    get: (path) => call(url, key, "GET", path),
    post: (path, fields) => call(url, key, "POST", path, form(fields)),
    delete: (path) => call(url, key, "DELETE", path),
    act: async (path, body) => {
      if (!isSandbox) throw onlyPeople();
      await call(url, key, "POST", `/sandbox/${path}`, JSON.stringify(body));
    },
    settle: async () => {
      if (isSandbox) await call(url, key, "POST", "/sandbox/tick", "{}");
      else await new Promise((resolve) => setTimeout(resolve, 1000));
    },
  };
}

const onlyPeople = () =>
  new Failure("notAllowed", "invalid_request", "At Stripe itself only people and banks can do this.", [
    "The sandbox plays them: leave STRIPE_SECRET_KEY out.",
  ]);

async function call(
  url: string,
  key: string,
  method: string,
  path: string,
  body?: URLSearchParams | string,
): Promise<Answer> {
  const isJson = typeof body === "string";
  const response = await fetch(url + path, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(isJson ? { "content-type": "application/json" } : {}),
    },
    ...(body === undefined ? {} : { body }),
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
