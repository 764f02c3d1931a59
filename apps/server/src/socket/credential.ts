import type { IncomingMessage } from "node:http";
import { BEARER_PREFIX } from "@bursar/contract/socket/limits";
import type { Keys } from "@bursar/engine/key/keys";
import type { Principal } from "@bursar/engine/key/principal";
import { hasSessionCookie } from "@bursar/identity/authenticate";
import type { OpenIdentity } from "@bursar/identity/open";
import { isFromOwnPage } from "../identity/same-origin.ts";
import { authenticate } from "../rest/authenticate.ts";
import { isProblem, type Problem } from "../rest/problem.ts";

export interface CredentialDeps {
  readonly keys: Keys;
  readonly identity: Pick<OpenIdentity, "authenticate" | "personIn" | "url">;
}

/** What a socket was opened with, kept so that it can be checked again. */
export interface Credential {
  readonly authorization: string | null;
  readonly cookie: string | null;
}

/** From the header, or for browsers, which cannot set one, from a subprotocol `bearer.…`; else the session cookie. */
export function credentialOf(request: IncomingMessage): Credential {
  const { authorization, cookie } = request.headers;
  const offered = protocolsOf(request).find((protocol) => protocol.startsWith(BEARER_PREFIX));
  const bearer = offered === undefined ? undefined : `Bearer ${offered.slice(BEARER_PREFIX.length)}`;
  const chosen = authorization ?? bearer ?? null;
  return { authorization: chosen, cookie: chosen === null ? (cookie ?? null) : null };
}

export function protocolsOf(request: IncomingMessage): string[] {
  return (request.headers["sec-websocket-protocol"] ?? "").split(",").map((each) => each.trim());
}

/** Whom a credential belongs to, as of its last check. */
export interface Known {
  readonly principal: Principal;
  /** null for a key. */
  readonly sessionId: string | null;
}

/** Who this is, asked of the database. Throws when it cannot be known. */
export async function checkCredential(
  deps: CredentialDeps,
  credential: Credential,
): Promise<Known | Problem> {
  const headers = headersOf(credential);
  const principal = await authenticate(deps, headers, true);
  if (isProblem(principal)) return principal;
  if (principal.keyId !== null) return { principal, sessionId: null };
  const who = await deps.identity.authenticate(headers);
  return who.kind === "authenticated" ? { principal, sessionId: who.sessionId } : SESSION_ENDED;
}

/** The same for one that was good a moment ago, at less cost where nothing but its end can have changed. */
export async function recheckCredential(
  deps: CredentialDeps,
  credential: Credential,
  known: Known,
): Promise<Known | Problem> {
  const { sessionId, principal } = known;
  const isPlainSession = sessionId !== null && credential.cookie !== null && principal.kind === "account";
  if (!isPlainSession) return checkCredential(deps, credential);
  return (await deps.identity.personIn(sessionId)) === null ? SESSION_ENDED : known;
}

/** Whether one that is refused now has ended for good. An access token may only have grown too old, and be renewed as
 *  long as its session lives. */
export async function hasEnded(
  { identity }: Pick<CredentialDeps, "identity">,
  { sessionId }: Known,
): Promise<boolean> {
  return sessionId === null || (await identity.personIn(sessionId)) === null;
}

const SESSION_ENDED: Problem = {
  problem: "unauthenticated",
  message: "This session has ended: sign in again",
};

/** Browsers send the cookie along with a socket that any page opens: only a page of ours may use it. */
export function isForeignPage(request: IncomingMessage, credential: Credential, publicUrl: string): boolean {
  if (credential.cookie === null || !hasSessionCookie(headersOf(credential))) return false;
  const header = (name: string) => request.headers[name] as string | undefined;
  return !isFromOwnPage(header, publicUrl);
}

function headersOf({ authorization, cookie }: Credential): Headers {
  return new Headers({
    ...(authorization === null ? {} : { authorization }),
    ...(cookie === null ? {} : { cookie }),
  });
}
