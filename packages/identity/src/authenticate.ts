import type pg from "pg";
import type { Auth } from "./auth.ts";
import type { WhoOutcome } from "./identity.ts";
import type { ManagedPeople } from "./people/people.ts";
import { findPerson, findPersonOfSession, type PersonRecord } from "./people/store.ts";
import type { AccessTokens } from "./token/access.ts";

type Refused = Extract<WhoOutcome, { kind: "unauthenticated" }>;

interface AuthenticateDeps {
  readonly pool: pg.Pool;
  readonly people: Pick<ManagedPeople, "heal">;
  readonly access: AccessTokens;
  auth(): Promise<Auth>;
}

/** The name of our session cookie, with the prefix that browsers ask for over HTTPS. */
const SESSION_COOKIE = /(?:^|;\s*)(?:__Secure-)?bursar\.session_token=/;

export function hasSessionCookie(headers: Headers): boolean {
  return SESSION_COOKIE.test(headers.get("cookie") ?? "");
}

/** A Bearer token is judged by itself; only without one does a session cookie count. Either way the session and its
 *  person are looked up each time: whoever was signed out, disabled or deleted is nobody at once, and a role is what it
 *  is now, whatever the token was made with. */
export async function authenticate(deps: AuthenticateDeps, headers: Headers): Promise<WhoOutcome> {
  const authorization = headers.get("authorization");
  if (authorization !== null) return byToken(deps, /^Bearer +(\S+)$/i.exec(authorization)?.[1]);
  if (!hasSessionCookie(headers)) return refused("missing");
  const auth = await deps.auth();
  // Without renewing it: that must reach the browser as a cookie, which only an answer of the library can carry.
  const found = await auth.api.getSession({ headers, query: { disableRefresh: true } });
  if (found === null) return refused("invalid");
  return known(deps, await findPerson(deps.pool, found.user.id), "session", found.session.id);
}

async function byToken(deps: AuthenticateDeps, token: string | undefined): Promise<WhoOutcome> {
  if (token === undefined) return refused("invalid");
  const outcome = await deps.access.verify(token);
  if (outcome.kind !== "valid") return refused(outcome.kind);
  const { sessionId } = outcome;
  return known(deps, await findPersonOfSession(deps.pool, sessionId), "access_token", sessionId);
}

async function known(
  { people }: AuthenticateDeps,
  record: PersonRecord | null,
  via: "access_token" | "session",
  sessionId: string,
): Promise<WhoOutcome> {
  if (record === null || record.disabled) return refused("invalid");
  return { kind: "authenticated", person: await people.heal(record), via, sessionId };
}

const refused = (reason: Refused["reason"]): Refused => ({ kind: "unauthenticated", reason });
