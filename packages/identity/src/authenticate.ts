import type pg from "pg";
import type { Auth } from "./auth.ts";
import type { WhoOutcome } from "./identity.ts";
import type { ManagedPeople } from "./people/people.ts";
import { findPerson } from "./people/store.ts";
import type { AccessTokens } from "./token/access.ts";

type Refused = Extract<WhoOutcome, { kind: "unauthenticated" }>;
/** Who a request is from, and in which session. */
export type SessionWho = Refused | (Exclude<WhoOutcome, Refused> & { readonly sessionId: string });

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

/** A Bearer token is judged by itself; only without one does a session cookie count, which is looked up each time. */
export async function authenticate(deps: AuthenticateDeps, headers: Headers): Promise<SessionWho> {
  const authorization = headers.get("authorization");
  if (authorization !== null) return byToken(deps, /^Bearer +(\S+)$/i.exec(authorization)?.[1]);
  if (!hasSessionCookie(headers)) return refused("missing");
  const auth = await deps.auth();
  // Without renewing it: that must reach the browser as a cookie, which only an answer of the library can carry.
  const found = await auth.api.getSession({ headers, query: { disableRefresh: true } });
  const record = found === null ? null : await findPerson(deps.pool, found.user.id);
  if (found === null || record === null || record.disabled) return refused("invalid");
  const person = await deps.people.heal(record);
  return { kind: "authenticated", person, via: "session", sessionId: found.session.id };
}

async function byToken({ access }: AuthenticateDeps, token: string | undefined): Promise<SessionWho> {
  if (token === undefined) return refused("invalid");
  const outcome = await access.verify(token);
  if (outcome.kind !== "valid") return refused(outcome.kind);
  const { person, sessionId } = outcome;
  return { kind: "authenticated", person, via: "access_token", sessionId };
}

const refused = (reason: Refused["reason"]): Refused => ({ kind: "unauthenticated", reason });
