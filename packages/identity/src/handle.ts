import type { Auth } from "./auth.ts";
import { ADDRESS_HEADER, IDENTITY_PATH, OAUTH_CALLBACK_PATH, OIDC_PROVIDER } from "./paths.ts";
import type { Attempts, Limited } from "./sign-in/attempts.ts";

/** Where a secret can be guessed: answers of 400 to 403 count as failures. */
const GUESSABLE =
  /^\/(sign-in\/(email|username)|two-factor\/|change-password|verify-password|reset-password|request-password-reset|device($|\/(approve|deny)))/;
/** Whose body says who is meant. */
const NAMING = /^\/(sign-in\/(email|username)|request-password-reset|send-verification-email)/;
/** Where whoever is signed in proves that they are. */
const PROVING = /^\/(two-factor\/|change-password|verify-password)/;
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
  const path = url.pathname.slice(IDENTITY_PATH.length);
  const signUp = SIGN_UP.test(path) ? await deps.attempts.limitSignUp(address) : null;
  if (signUp !== null) return limited(signUp, "Too many sign-ups from this address");
  const forwarded = await forwardedTo(url, request, { headers, isNaming: NAMING.test(path) });
  if (forwarded === null) return Response.json(NO_OBJECT, { status: 400 });
  if (!GUESSABLE.test(path) && !MAILING.test(path)) return auth.handler(forwarded);
  const account = await accountOf(auth, path, forwarded);
  const work = () => auth.handler(forwarded);
  const failed = ({ status }: Response) => MAILING.test(path) || (status >= 400 && status <= 403);
  const outcome = await deps.attempts.guard({ account, address }, work, failed);
  if (outcome.kind === "attempted") return outcome.result;
  return limited(outcome, "Too many failed attempts");
}

const NO_OBJECT = { code: "INVALID_BODY", message: "The body must be a JSON object, without NUL" };

function limited({ retryAfterSeconds }: Limited, why: string): Response {
  const retryAfter = String(retryAfterSeconds);
  const message = `${why}; try again in ${retryAfter} seconds`;
  return Response.json({ code: "LIMITED", message }, { status: 429, headers: { "retry-after": retryAfter } });
}

/** The request for the library. A body that names somebody is read here and written anew, so that the library and the
 *  count cannot read it differently; null where it is no JSON object. */
async function forwardedTo(
  url: URL,
  request: Request,
  { headers, isNaming }: { readonly headers: Headers; readonly isNaming: boolean },
): Promise<Request | null> {
  const { method, body } = request;
  if (body === null) return new Request(url, { method, headers });
  if (!isNaming) return new Request(url, { method, headers, body, duplex: "half" });
  const read = await objectIn(request);
  if (read === null) return null;
  headers.delete("content-length");
  headers.set("content-type", "application/json");
  return new Request(url, { method, headers, body: JSON.stringify(read) });
}

/** null also where a text in it has a NUL, which the database cannot be asked for. */
async function objectIn(request: Request): Promise<Readonly<Record<string, unknown>> | null> {
  try {
    const read: unknown = JSON.parse(await request.text());
    if (typeof read !== "object" || read === null || Array.isArray(read)) return null;
    const hasNul = Object.values(read).some((value) => typeof value === "string" && value.includes("\u0000"));
    return hasNul ? null : (read as Record<string, unknown>);
  } catch {
    return null;
  }
}

/** Who is being guessed: who is named where the library reads a name, or who is signed in. null where a secret is
 *  nobody's in particular, such as the token of a mail: then the address alone counts, or whoever sends nonsense would
 *  keep everybody out. */
async function accountOf(auth: Auth, path: string, request: Request): Promise<string | null> {
  if (NAMING.test(path)) {
    const body = request.body === null ? null : await objectIn(request.clone());
    const named = body?.[path.startsWith("/sign-in/username") ? "username" : "email"];
    return typeof named === "string" ? named : null;
  }
  if (!PROVING.test(path)) return null;
  const { headers } = request;
  const found = await auth.api.getSession({ headers, query: { disableRefresh: true } });
  return found?.user.id ?? null;
}
