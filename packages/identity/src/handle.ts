import type { Auth } from "./auth.ts";
import { ADDRESS_HEADER, IDENTITY_PATH, OAUTH_CALLBACK_PATH, OIDC_PROVIDER } from "./paths.ts";
import type { Attempts, Limited } from "./sign-in/attempts.ts";

/** Where a secret can be guessed: answers of 400 to 403 count as failures. */
const GUESSABLE =
  /^\/(sign-in\/(email|username)|two-factor\/|change-password|verify-password|reset-password|device($|\/(approve|deny)))/;
/** Whose body says who is meant. */
const NAMING = /^\/(sign-in\/(email|username)|request-password-reset|send-verification-email)/;
/** Where whoever is signed in proves that they are. */
const PROVING = /^\/(two-factor\/|change-password|verify-password)/;
/** Asking for mail counts always, so that nobody's mailbox is flooded. */
const MAILING = /^\/(request-password-reset|send-verification-email)/;
/** Leaves something behind for anybody who asks. */
const LEAVING = /^\/device\/code/;
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
  const path = url.pathname.slice(IDENTITY_PATH.length);
  const signUp = SIGN_UP.test(path) ? await deps.attempts.limitSignUp(address) : null;
  if (signUp !== null) return limited(signUp, "Too many sign-ups from this address");
  const left = LEAVING.test(path) ? await deps.attempts.limitDeviceCode(address) : null;
  if (left !== null) return limited(left, "Too many requests");
  const asked = await readAsked(path, request);
  if (asked === null) return Response.json(NO_OBJECT, { status: 400 });
  const { headers, body, named } = asked;
  headers.set(ADDRESS_HEADER, address);
  const forwarded = new Request(url, { method: request.method, headers, body, duplex: "half" });
  const work = () => auth.handler(forwarded);
  const counts = MAILING.test(path);
  if (!counts && !GUESSABLE.test(path)) return work();
  const account = PROVING.test(path) ? await whoProves(auth, headers) : named;
  const failed = ({ status }: Response) => counts || (status >= 400 && status <= 403);
  const outcome = await deps.attempts.guard({ account, address }, work, failed);
  if (outcome.kind === "attempted") return outcome.result;
  return limited(outcome, counts ? "Too many requests" : "Too many failed attempts");
}

const NO_OBJECT = { code: "INVALID_BODY", message: "The body must be a JSON object, without NUL" };

function limited({ retryAfterSeconds }: Limited, why: string): Response {
  const retryAfter = String(retryAfterSeconds);
  const message = `${why}; try again in ${retryAfter} seconds`;
  return Response.json({ code: "LIMITED", message }, { status: 429, headers: { "retry-after": retryAfter } });
}

interface Asked {
  readonly headers: Headers;
  readonly body: ReadableStream | string | null;
  /** Who is being guessed or written to. null where nobody in particular is, as by the token of a mail: then the address
   *  alone counts, or whoever sends nonsense would keep everybody out. */
  readonly named: string | null;
}

/** What goes to the library. A body that names somebody is read here, once, and written anew, so that the library and the
 *  count cannot read it differently; null where it is no JSON object. */
async function readAsked(path: string, request: Request): Promise<Asked | null> {
  const headers = new Headers(request.headers);
  if (request.body === null || !NAMING.test(path)) return { headers, body: request.body, named: null };
  const read = await objectIn(request);
  if (read === null) return null;
  headers.delete("content-length");
  headers.set("content-type", "application/json");
  const named = read[path.startsWith("/sign-in/username") ? "username" : "email"];
  const account = typeof named === "string" ? countedAs(path, named) : null;
  return { headers, body: JSON.stringify(read), named: account };
}

/** Mail is counted apart from guesses, together with /api/auth: a success at signing in allows no more of it, and asking
 *  for it keeps nobody from signing in. */
function countedAs(path: string, named: string): string {
  return MAILING.test(path) ? `reset:${named}` : named;
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

async function whoProves(auth: Auth, headers: Headers): Promise<string | null> {
  const found = await auth.api.getSession({ headers, query: { disableRefresh: true } });
  return found?.user.id ?? null;
}
