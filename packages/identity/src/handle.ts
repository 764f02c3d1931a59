import { createHash } from "node:crypto";
import type { Auth } from "./auth.ts";
import { ADDRESS_HEADER, IDENTITY_PATH, OAUTH_CALLBACK_PATH, OIDC_PROVIDER } from "./paths.ts";
import type { Attempts, Limited } from "./sign-in/attempts.ts";

/** Where a secret can be guessed: answers of 400 to 403 count as failures. */
const GUESSABLE =
  /^\/(sign-in\/(email|username)|two-factor\/|change-password|reset-password|request-password-reset|device($|\/(approve|deny)))/;
/** Asking for mail counts always, so that nobody's mailbox is flooded. */
const MAILING = /^\/(request-password-reset|send-verification-email)/;
const SIGN_UP = /^\/sign-up\//;

/** One request to better-auth. What it limits by itself is off; ours counts across processes, as for /api/auth. */
export async function handle(
  deps: { readonly attempts: Attempts; auth(): Promise<Auth> },
  request: Request,
  address: string,
): Promise<Response> {
  const auth = await deps.auth();
  const url = new URL(request.url);
  // The address that is registered with the OIDC provider is shorter than the library's own.
  if (url.pathname === OAUTH_CALLBACK_PATH) url.pathname = `${IDENTITY_PATH}/callback/${OIDC_PROVIDER}`;
  const headers = new Headers(request.headers);
  headers.set(ADDRESS_HEADER, address);
  const forwarded = new Request(url, { ...bodyOf(request), method: request.method, headers });
  const path = url.pathname.slice(IDENTITY_PATH.length);
  const signUp = SIGN_UP.test(path) ? await deps.attempts.limitSignUp(address) : null;
  if (signUp !== null) return limited(signUp, "Too many sign-ups from this address");
  if (!GUESSABLE.test(path) && !MAILING.test(path)) return auth.handler(forwarded);
  const account = await accountOf(forwarded);
  const work = () => auth.handler(forwarded);
  const failed = ({ status }: Response) => MAILING.test(path) || (status >= 400 && status <= 403);
  const outcome = await deps.attempts.guard({ account, address }, work, failed);
  if (outcome.kind === "attempted") return outcome.result;
  return limited(outcome, "Too many failed attempts");
}

function limited({ retryAfterSeconds }: Limited, why: string): Response {
  const retryAfter = String(retryAfterSeconds);
  const message = `${why}; try again in ${retryAfter} seconds`;
  return Response.json({ code: "LIMITED", message }, { status: 429, headers: { "retry-after": retryAfter } });
}

function bodyOf(request: Request): RequestInit {
  return request.body === null ? {} : { body: request.body, duplex: "half" };
}

/** Who is being guessed: who is named in the body, else who holds the cookies of this request. */
async function accountOf(request: Request): Promise<string> {
  const isJson = request.headers.get("content-type")?.includes("json") === true;
  const body = isJson
    ? ((await request
        .clone()
        .json()
        .catch(() => ({}))) as Record<string, unknown>)
    : {};
  const named = body.email ?? body.username;
  if (typeof named === "string") return named;
  const cookie = request.headers.get("cookie") ?? "";
  return `cookie:${createHash("sha256").update(cookie).digest("hex")}`;
}
