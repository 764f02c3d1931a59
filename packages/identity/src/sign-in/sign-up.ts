import type pg from "pg";
import type { Auth } from "../auth.ts";
import { ADDRESS_HEADER } from "../paths.ts";
import { isEmail, isUsername } from "../people/naming.ts";
import { findPerson } from "../people/store.ts";
import type { Person } from "../person.ts";
import type { RefreshTokens, TokenPair } from "../token/refresh.ts";
import { answered } from "./answered.ts";
import type { Attempts, Limited } from "./attempts.ts";
import type { Caller } from "./sign-in.ts";
import { findSession } from "./store-sessions.ts";

export interface SignUpRequest {
  readonly email: string;
  readonly password: string;
  readonly username?: string | undefined;
  readonly name?: string | undefined;
  readonly caller: Caller;
}

export type SignUpOutcome =
  /** `tokens` is null where the mailbox must be proved first. */
  | { readonly kind: "signed_up"; readonly person: Person; readonly tokens: TokenPair | null }
  | { readonly kind: "taken"; readonly field: "email" | "username" }
  | { readonly kind: "unusable"; readonly message: string }
  | Limited;

export interface SignUpDeps {
  readonly pool: pg.Pool;
  readonly attempts: Pick<Attempts, "limitSignUp">;
  readonly refresh: RefreshTokens;
  readonly people: { find(named: string): Promise<Person | null> };
  auth(): Promise<Auth>;
}

/** Makes a person with a password, and the mail that proves the mailbox. Outcomes, first match wins: unusable,
 *  limited, taken, signed_up. */
export async function signUp(deps: SignUpDeps, request: SignUpRequest): Promise<SignUpOutcome> {
  const unusable = unusableField(request);
  if (unusable !== null) return { kind: "unusable", message: unusable };
  const limited = await deps.attempts.limitSignUp(request.caller.address);
  if (limited !== null) return limited;
  const taken = await takenField(deps.pool, request);
  if (taken !== null) return { kind: "taken", field: taken };
  const { email, password, username, caller } = request;
  const name = request.name ?? username ?? email.slice(0, email.indexOf("@"));
  const auth = await deps.auth();
  const response = await answered(
    auth.api.signUpEmail({
      body: { email, password, name, ...(username === undefined ? {} : { username }) },
      headers: new Headers({ [ADDRESS_HEADER]: caller.address, "user-agent": caller.userAgent ?? "" }),
      asResponse: true,
    }),
  );
  const answer = (await response.json()) as {
    message?: string;
    token?: string | null;
    user?: { id: string };
  };
  const person = await deps.people.find(email);
  if (response.ok && person !== null && person.id === answer.user?.id) {
    return { kind: "signed_up", person, tokens: await firstTokens(deps, person, answer.token) };
  }
  // Somebody else was a moment faster, or what was asked for cannot be.
  const lost = await takenField(deps.pool, request);
  if (lost !== null) return { kind: "taken", field: lost };
  if (response.status >= 500) throw new Error(`signing up failed: ${answer.message ?? response.status}`);
  return { kind: "unusable", message: answer.message ?? "This cannot be signed up" };
}

async function firstTokens(
  deps: SignUpDeps,
  person: Person,
  token: string | null | undefined,
): Promise<TokenPair | null> {
  const session = token ? await findSession(deps.pool, token) : null;
  return session === null ? null : deps.refresh.begin(person, session.id);
}

function unusableField({ email, password, username }: SignUpRequest): string | null {
  if (!isEmail(email)) return "email: must be an e-mail address";
  if (password.length < 8 || password.length > 128) return "password: must be 8 to 128 characters";
  if (username === undefined || isUsername(username)) return null;
  return "username: must be 3 to 64 letters, digits or _ . -";
}

async function takenField(pool: pg.Pool, request: SignUpRequest): Promise<"email" | "username" | null> {
  if ((await findPerson(pool, request.email)) !== null) return "email";
  if (request.username === undefined) return null;
  return (await findPerson(pool, request.username)) === null ? null : "username";
}
