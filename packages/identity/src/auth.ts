import type { Deps } from "@bursar/engine/deps";
import { betterAuth } from "better-auth";
import { APIError, createAuthMiddleware, isAPIError } from "better-auth/api";
import { deviceAuthorization } from "better-auth/plugins/device-authorization";
import { genericOAuth } from "better-auth/plugins/generic-oauth";
import { twoFactor } from "better-auth/plugins/two-factor";
import { username } from "better-auth/plugins/username";
import { kyselyOn } from "./database.ts";
import type { Post } from "./mail/post.ts";
import { type DiscoveredOidc, discoveryUrl } from "./oidc.ts";
import { ADDRESS_HEADER, DEVICE_CLIENT, IDENTITY_PATH, OAUTH_CALLBACK_PATH, OIDC_PROVIDER } from "./paths.ts";
import { isUsername, newPersonId } from "./people/naming.ts";
import type { ManagedPeople } from "./people/people.ts";
import { findPerson, markVerified } from "./people/store.ts";
import { sealSecondFactors } from "./second-factor/adapter.ts";
import { type Factors, libraryKeyOf } from "./second-factor/factors.ts";
import { refuseReplay } from "./sign-in/replay.ts";
import { deleteSessionsOf, forgetPending } from "./sign-in/store-sessions.ts";

export interface AuthDeps extends Pick<Deps, "pool" | "clock" | "log"> {
  readonly people: ManagedPeople;
  readonly post: Post;
  /** Public address of this server, without a slash at its end. */
  readonly url: string;
  readonly secret: string;
  readonly factors: Factors;
  readonly oidc: DiscoveredOidc | null;
  /** Whether nobody signs in by password before their mailbox is proved. */
  readonly verifyEmail: boolean;
  readonly tokensOfDevice: (sessionToken: string) => Promise<object>;
}

export type Auth = ReturnType<typeof createAuth>;

const SESSION_SECONDS = 7 * 86_400;
const DAY_SECONDS = 86_400;
const LONGEST_NAME = 255;

/** Whoever ends all sessions ends what could become one, too. */
const ENDS_SESSIONS: ReadonlySet<string> = new Set(["/revoke-sessions", "/revoke-other-sessions"]);

/** better-auth on our schema, with as few plugins as do. */
export function createAuth(deps: AuthDeps) {
  const { pool, post, url, oidc, factors } = deps;
  const libraryKey = libraryKeyOf(deps.secret);
  return betterAuth({
    appName: "Bursar",
    baseURL: url,
    basePath: IDENTITY_PATH,
    secret: libraryKey,
    database: { db: kyselyOn(pool), type: "postgres", schemaName: "identity", transaction: true },
    trustedOrigins: (request) => [ownOrigin(request)],
    // It tells anybody, as often as they like, who is here.
    disabledPaths: ["/is-username-available"],
    // Ours counts failures by person and address, in the database (sign-in/attempts.ts).
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    logger: loggerOn(deps.log),
    onAPIError: { onError: passOn(deps.log) },
    user: {
      modelName: "people",
      additionalFields: {
        role: { type: "string", required: false, defaultValue: "user", input: false },
        disabled: { type: "boolean", required: false, defaultValue: false, input: false, returned: false },
      },
    },
    session: { modelName: "sessions", expiresIn: SESSION_SECONDS, updateAge: DAY_SECONDS },
    account: {
      modelName: "logins",
      encryptOAuthTokens: true,
      // Whoever has an address at some provider has not proved to be our person of that address.
      accountLinking: { enabled: true, disableImplicitLinking: true },
    },
    verification: { modelName: "verifications", storeIdentifier: "hashed" },
    emailAndPassword: {
      enabled: true,
      requireEmailVerification: deps.verifyEmail,
      sendResetPassword: ({ user, token }) => {
        post.sendReset(user, `${url}/reset-password?token=${encodeURIComponent(token)}`, token);
        return Promise.resolve();
      },
      onPasswordReset: async ({ user }) => {
        await markVerified(pool, user.id);
        await deleteSessionsOf(pool, user.id);
      },
    },
    emailVerification: {
      sendOnSignUp: true,
      sendOnSignIn: true,
      expiresIn: DAY_SECONDS,
      sendVerificationEmail: ({ user, token }) => {
        post.sendVerification(user, `${url}/verify-email?token=${encodeURIComponent(token)}`, token);
        return Promise.resolve();
      },
    },
    plugins: [
      username({
        displayUsername: false,
        minUsernameLength: 3,
        maxUsernameLength: 64,
        usernameValidator: isUsername,
      }),
      twoFactor({ issuer: "Bursar", schema: { twoFactor: { modelName: "twoFactors" } } }),
      sealSecondFactors({ factors, libraryKey }),
      deviceAuthorization({
        verificationUri: `${url}/device`,
        expiresIn: "15m",
        interval: "5s",
        validateClient: (clientId) => clientId === DEVICE_CLIENT,
        schema: { deviceCode: { modelName: "deviceCodes" } },
      }),
      ...(oidc === null ? [] : [genericOAuth({ config: [oidcProvider(oidc, url)] })]),
    ],
    databaseHooks: hooksOn(deps),
    hooks: {
      before: createAuthMiddleware(async (context) => {
        // Whoever knew the old password is out, also where a client forgets to ask for that.
        if (context.path === "/change-password") {
          return { context: { body: { ...(context.body as object), revokeOtherSessions: true } } };
        }
        if (context.path === "/two-factor/verify-totp") await refuseReplay(context, pool);
        if (context.path === "/sign-up/email" || context.path === "/update-user")
          refuseLongName(context.body);
        return undefined;
      }),
      after: createAuthMiddleware(async (context) => {
        const ended = ENDS_SESSIONS.has(context.path) ? context.context.session?.user.id : undefined;
        // Last: until its session has ended, whoever has it can begin something anew.
        if (ended !== undefined) await forgetPending(pool, ended);
        const session = context.context.newSession?.session;
        if (session === undefined) return undefined;
        if (context.path === "/change-password") await forgetPending(pool, session.userId);
        if (context.path !== "/device/token") return undefined;
        return context.json(await deps.tokensOfDevice(session.token));
      }),
    },
    advanced: {
      cookiePrefix: "bursar",
      ipAddress: { ipAddressHeaders: [ADDRESS_HEADER] },
      database: { generateId: ({ model }) => idOf(model) },
    },
  });
}

/** A name goes into every access token, and is shown to others. */
function refuseLongName(body: unknown): void {
  const { name } = Object(body) as { name?: unknown };
  if (typeof name !== "string" || (name.length <= LONGEST_NAME && !/\p{Cc}/u.test(name))) return;
  const message = `name: must be one line of at most ${LONGEST_NAME} characters`;
  throw new APIError("BAD_REQUEST", { code: "INVALID_NAME", message });
}

/** A page of ours, under whatever name the browser knows this server. */
function ownOrigin(request: Request | undefined): string | null {
  const host = request?.headers.get("host");
  return host === null || request === undefined ? null : new URL(request.url).protocol + `//${host}`;
}

function idOf(model: string): string {
  const id = newPersonId();
  return model === "user" || model === "people" ? id : id.replace("user_", `${model.slice(0, 4)}_`);
}

function oidcProvider(oidc: DiscoveredOidc, url: string) {
  return {
    providerId: OIDC_PROVIDER,
    discoveryUrl: discoveryUrl(oidc),
    clientId: oidc.clientId,
    ...(oidc.clientSecret === null
      ? { tokenEndpointAuth: { method: "none" as const } }
      : { clientSecret: oidc.clientSecret, tokenEndpointAuth: { method: oidc.secretBy } }),
    scopes: ["openid", "profile", "email"],
    pkce: true,
    requireIdTokenVerification: true,
    redirectURI: `${url}${OAUTH_CALLBACK_PATH}`,
  };
}

/** Nobody is made without a credit account, and nobody who is disabled gets a session. */
function hooksOn({ pool, people }: AuthDeps) {
  return {
    user: {
      create: {
        after: async (user: { id: string }) => {
          const record = await findPerson(pool, user.id);
          if (record !== null) await people.heal(record);
        },
      },
    },
    session: {
      create: {
        before: async (session: { userId: string }) => {
          const record = await findPerson(pool, session.userId);
          if (record?.disabled !== true) return;
          throw new APIError("FORBIDDEN", { code: "DISABLED", message: "This account is disabled" });
        },
      },
    },
  };
}

/** A refusal is an answer and nothing to log. What is none goes on to whoever asked, who logs it and answers; the library
 *  would print it and answer with nothing. */
function passOn(log: Deps["log"]) {
  return (error: unknown) => {
    if (!isAPIError(error)) throw error;
    if (error.statusCode >= 500) log.error({ part: "better-auth", err: error }, "sign-ins failed");
  };
}

/** What the library has to say goes where the rest goes. Its facts may hold addresses and are left out. */
function loggerOn(log: Deps["log"]) {
  return {
    level: "warn" as const,
    log: (level: string, message: string) =>
      level === "error"
        ? log.error({ part: "better-auth" }, message)
        : log.info({ part: "better-auth" }, message),
  };
}
