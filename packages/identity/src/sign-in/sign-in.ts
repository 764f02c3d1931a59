import type pg from "pg";
import type { Auth } from "../auth.ts";
import { ADDRESS_HEADER } from "../paths.ts";
import type { ManagedPeople } from "../people/people.ts";
import { findPerson } from "../people/store.ts";
import type { Person } from "../person.ts";
import type { RefreshTokens, TokenPair } from "../token/refresh.ts";
import { answered } from "./answered.ts";
import type { Attempts } from "./attempts.ts";
import { findSession } from "./store-sessions.ts";

export interface Caller {
  /** Where the request came from. */
  readonly address: string;
  readonly userAgent: string | null;
}

export interface SignInRequest {
  /** A username, or an e-mail. */
  readonly named: string;
  readonly password: string;
  /** The second step, where the person has one: six digits, or a backup code. */
  readonly code?: string | undefined;
  readonly caller: Caller;
}

export type SignInOutcome =
  | { readonly kind: "signed_in"; readonly person: Person; readonly tokens: TokenPair }
  | { readonly kind: "wrong_credentials" }
  | { readonly kind: "code_required" }
  | { readonly kind: "code_wrong"; readonly message: string }
  | { readonly kind: "email_unverified" }
  | { readonly kind: "disabled" }
  | { readonly kind: "limited"; readonly retryAfterSeconds: number };

export interface SignInDeps {
  readonly pool: pg.Pool;
  readonly attempts: Attempts;
  readonly people: Pick<ManagedPeople, "heal">;
  readonly refresh: RefreshTokens;
  auth(): Promise<Auth>;
}

/** Signs a program in for its person, in one call: a session, and the first pair of tokens in it.
 *  Outcomes, first match wins: limited, wrong_credentials, email_unverified, disabled, code_required, code_wrong,
 *  signed_in. */
export async function signIn(deps: SignInDeps, request: SignInRequest): Promise<SignInOutcome> {
  const attempt = { account: request.named, address: request.caller.address };
  const guarded = await deps.attempts.guard(attempt, () => bySteps(deps, request), isGuess);
  return guarded.kind === "limited" ? guarded : guarded.result;
}

/** Or a mail to an unproved address, which may be a stranger's: no more of those than of guesses. */
function isGuess({ kind }: SignInOutcome): boolean {
  return kind === "wrong_credentials" || kind === "code_wrong" || kind === "email_unverified";
}

async function bySteps(deps: SignInDeps, request: SignInRequest): Promise<SignInOutcome> {
  const auth = await deps.auth();
  const first = await answered(firstStep(auth, request));
  const answer = await bodyOf(first);
  if (!first.ok) return refusalOf(first.status, answer);
  if (answer.twoFactorRedirect !== true) return begin(deps, answer.token!);
  if (request.code === undefined) return { kind: "code_required" };
  const second = await answered(secondStep(auth, request, request.code, cookiesOf(first)));
  const { token, message = "The code is wrong" } = await bodyOf(second);
  return second.ok && token ? begin(deps, token) : { kind: "code_wrong", message };
}

function firstStep(auth: Auth, { named, password, caller }: SignInRequest): Promise<Response> {
  const headers = headersOf(caller);
  return named.includes("@")
    ? auth.api.signInEmail({ body: { email: named.toLowerCase(), password }, headers, asResponse: true })
    : auth.api.signInUsername({ body: { username: named, password }, headers, asResponse: true });
}

/** The library's challenge is a cookie; here it never leaves the server. */
function secondStep(auth: Auth, { caller }: SignInRequest, code: string, cookie: string): Promise<Response> {
  const headers = headersOf(caller);
  headers.set("cookie", cookie);
  const request = { body: { code: code.trim() }, headers, asResponse: true } as const;
  return /^\d{6}$/.test(code.trim()) ? auth.api.verifyTOTP(request) : auth.api.verifyBackupCode(request);
}

async function begin(deps: SignInDeps, token: string): Promise<SignInOutcome> {
  const session = await findSession(deps.pool, token);
  const record = session === null ? null : await findPerson(deps.pool, session.userId);
  if (session === null || record === null) return { kind: "wrong_credentials" };
  const person = await deps.people.heal(record);
  return { kind: "signed_in", person, tokens: await deps.refresh.begin(person, session.id) };
}

function refusalOf(status: number, answer: AuthAnswer): SignInOutcome {
  if (answer.code === "EMAIL_NOT_VERIFIED") return { kind: "email_unverified" };
  if (answer.code === "DISABLED") return { kind: "disabled" };
  if (status >= 500) throw new Error(`signing in failed: ${answer.message ?? status}`);
  return { kind: "wrong_credentials" };
}

interface AuthAnswer {
  readonly code?: string;
  readonly message?: string;
  readonly token?: string;
  readonly twoFactorRedirect?: boolean;
}

async function bodyOf(response: Response): Promise<AuthAnswer> {
  const body = (await response.json()) as AuthAnswer | null;
  return body ?? {};
}

function cookiesOf(response: Response): string {
  return response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(";", 1)[0])
    .join("; ");
}

function headersOf({ address, userAgent }: Caller): Headers {
  const headers = new Headers({ [ADDRESS_HEADER]: address });
  if (userAgent !== null) headers.set("user-agent", userAgent);
  return headers;
}
