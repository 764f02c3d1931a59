import type { Deps } from "@bursar/engine/deps";
import type { Mail } from "@bursar/engine/mail/mail";
import type { Secrets } from "@bursar/engine/secret/secrets";
import type { Auth } from "./auth.ts";
import { authenticate } from "./authenticate.ts";
import { type BeginDeletionOutcome, beginDeletion } from "./deletion/begin.ts";
import { takeDueDeletions } from "./deletion/store.ts";
import { handle } from "./handle.ts";
import type { Identity } from "./identity.ts";
import { openPost } from "./mail/post.ts";
import type { OidcSettings } from "./oidc.ts";
import { authOnDemand } from "./on-demand.ts";
import { type ManagedPeople, type OpenAccount, openPeople } from "./people/people.ts";
import { findPerson, findPersonOfSession } from "./people/store.ts";
import type { Person } from "./person.ts";
import { libraryKeyOf, openFactors } from "./second-factor/factors.ts";
import { type AttemptLimits, type Attempts, openAttempts } from "./sign-in/attempts.ts";
import type { Proof, ProveOutcome, ProveRequest } from "./sign-in/prove.ts";
import { type SignInOutcome, type SignInRequest, signIn } from "./sign-in/sign-in.ts";
import { type SignUpOutcome, type SignUpRequest, signUp } from "./sign-in/sign-up.ts";
import {
  deleteExpired,
  deleteSession,
  deleteSessionsOf,
  findSession,
  listSessions,
  type SessionRecord,
} from "./sign-in/store-sessions.ts";
import { ACCESS_TOKEN_SECONDS, openAccessTokens } from "./token/access.ts";
import { hashOfToken, openRefreshTokens, type RefreshOutcome } from "./token/refresh.ts";
import { openSigningKeys, type SigningKeys } from "./token/signing-keys.ts";
import { sessionOfRefreshToken } from "./token/store-refresh.ts";

export interface IdentitySettings {
  /** At least 32 characters; everything secret is derived from it. */
  readonly secret: string;
  /** This server's public address; asked late, because the sandbox learns its port only by listening. */
  readonly url: () => string;
  readonly verifyEmail: boolean;
  readonly oidc: OidcSettings | null;
  readonly limits?: Partial<AttemptLimits>;
  /** How a newcomer's credit account is created; absent: empty. */
  readonly openAccount?: OpenAccount;
}

/** Identity with what only the server's own routes need. */
export interface OpenIdentity extends Identity {
  readonly people: ManagedPeople;
  readonly attempts: Attempts;
  readonly keys: SigningKeys;
  /** better-auth itself. */
  auth(): Promise<Auth>;
  /** Answers a request under /api/identity, or the OIDC provider's callback. */
  handle(request: Request, address: string): Promise<Response>;
  signIn(request: SignInRequest): Promise<SignInOutcome>;
  signUp(request: SignUpRequest): Promise<SignUpOutcome>;
  refresh(refreshToken: string): Promise<RefreshOutcome>;
  /** Ends the session that the refresh token belongs to; false when there is none. */
  endFamily(refreshToken: string): Promise<boolean>;
  /** False when it is no session of this person. */
  endSession(sessionId: string, personId: string): Promise<boolean>;
  /** Whose session this is, as they are now; null when it has ended, or its person may not come in. */
  personIn(sessionId: string): Promise<Person | null>;
  /** Where the person is signed in, the latest first. */
  sessions(personId: string): Promise<SessionRecord[]>;
  endAllSessions(personId: string): Promise<void>;
  /** Asks somebody who is signed in for all that signing in takes, before what cannot be taken back. */
  prove(request: ProveRequest): Promise<ProveOutcome>;
  /** Begins the deletion of somebody who has asked for it. */
  beginDeletion(personId: string): Promise<BeginDeletionOutcome>;
  /** People whose deletion has begun and come to no end, each for one process alone for a minute. */
  takeDueDeletions(limit: number): Promise<string[]>;
  /** What `prove` will ask them for. */
  proofOf(personId: string): Promise<Proof>;
  /** Forgets what has expired. Any number of processes may do it. */
  sweep(): Promise<void>;
  /** Whether an OIDC provider is set. */
  readonly hasOidc: boolean;
}

/** People, their sessions and their tokens, on one database. */
export function openIdentity(
  deps: Pick<Deps, "pool" | "clock" | "log"> & {
    readonly mail: Mail;
    readonly secrets: Pick<Secrets, "seal" | "open">;
  },
  settings: IdentitySettings,
): OpenIdentity {
  const { pool, clock, log, mail } = deps;
  const { secret, url } = settings;
  const people = openPeople(deps, settings.openAccount);
  const keys = openSigningKeys(deps, secret);
  const access = openAccessTokens({ clock, keys, url });
  const refresh = openRefreshTokens({ pool, clock, log, access, people });
  const attempts = openAttempts(pool, settings.limits);
  const factors = openFactors(deps, libraryKeyOf(secret));
  const auth = authOnDemand(() => {
    const tokensOfDevice = async (token: string) => {
      const session = await findSession(pool, token);
      const record = session === null ? null : await findPerson(pool, session.userId);
      if (session === null || record === null) throw new Error("the session of a device ended at once");
      const pair = await refresh.begin(await people.heal(record), session.id);
      const { accessToken: access_token, refreshToken: refresh_token } = pair;
      return { access_token, refresh_token, token_type: "Bearer", expires_in: ACCESS_TOKEN_SECONDS };
    };
    const post = openPost({ mail, log });
    return { pool, clock, log, people, post, factors, tokensOfDevice, ...settings, url: url() };
  }, log);

  return {
    people,
    attempts,
    keys,
    auth,
    url,
    hasOidc: settings.oidc !== null,
    stepUp: async (request) => {
      // The library that knows one-time codes is loaded when somebody needs it.
      const { stepUp } = await import("./sign-in/step-up.ts");
      return stepUp({ pool, attempts, factors }, request);
    },
    prove: async (request) => {
      const { prove } = await import("./sign-in/prove.ts");
      return prove({ pool, attempts, factors }, request);
    },
    beginDeletion: (personId) => beginDeletion(deps, personId),
    takeDueDeletions: (limit) => takeDueDeletions(pool, clock.now(), limit),
    proofOf: async (personId) => {
      const { proofOf } = await import("./sign-in/prove.ts");
      return proofOf(pool, personId);
    },
    renewSecondFactors: () => factors.renewAll(),
    authenticate: (headers) => authenticate({ pool, people, access, auth }, headers),
    handle: (request, address) => handle({ attempts, auth }, request, address),
    signIn: (request) => signIn({ pool, attempts, people, refresh, auth }, request),
    signUp: (request) => signUp({ pool, attempts, people, refresh, auth }, request),
    refresh: (refreshToken) => refresh.refresh(refreshToken),
    endFamily: async (refreshToken) => {
      const sessionId = await sessionOfRefreshToken(pool, hashOfToken(refreshToken));
      return sessionId !== null && deleteSession(pool, sessionId);
    },
    endSession: (sessionId, personId) => deleteSession(pool, sessionId, personId),
    personIn: async (sessionId) => {
      const record = await findPersonOfSession(pool, sessionId);
      return record === null || record.disabled ? null : people.heal(record);
    },
    sessions: (personId) => listSessions(pool, personId),
    endAllSessions: (personId) => deleteSessionsOf(pool, personId),
    sweep: () => deleteExpired(pool),
  };
}
