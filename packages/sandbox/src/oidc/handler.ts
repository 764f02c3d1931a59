import { generateKeyPair, randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { promisify } from "node:util";
import { type Configuration, type JWK, Provider } from "oidc-provider";
import type { SandboxClient } from "./clients.ts";
import { answerInteraction, INTERACTION_PATH } from "./interaction.ts";
import { errorPage } from "./pages.ts";
import { personOf } from "./people.ts";
import { memoryStorage } from "./storage.ts";

const DAY_SECONDS = 86_400;

/** The provider and its pages as one handler. */
export async function createOidcHandler(
  issuer: string,
  clients: ReadonlyMap<string, SandboxClient>,
): Promise<(request: IncomingMessage, response: ServerResponse) => void> {
  const provider = new Provider(issuer, await configuration(clients));
  const answer = provider.callback();
  return (request, response) => {
    if (request.url?.startsWith(INTERACTION_PATH) === true)
      void answerInteraction(provider, request, response);
    else void answer(request, response);
  };
}

async function configuration(clients: ReadonlyMap<string, SandboxClient>): Promise<Configuration> {
  return {
    adapter: memoryStorage(clients),
    jwks: { keys: [await signingKey()] },
    cookies: { keys: [randomBytes(32).toString("base64url")] },
    pkce: { required: () => true },
    claims: {
      openid: ["sub"],
      profile: ["name", "preferred_username"],
      email: ["email", "email_verified"],
    },
    // Many clients read the ID token alone.
    conformIdTokenClaims: false,
    features: {
      devInteractions: { enabled: false },
      // No page of this provider outlives the sandbox; clients end their own sessions.
      rpInitiatedLogout: { enabled: false },
      revocation: { enabled: true },
    },
    interactions: { url: (_context, { uid }) => `${INTERACTION_PATH}${uid}` },
    findAccount: (_context, sub) => {
      const person = personOf(sub);
      if (person === null) return undefined;
      const { email, emailVerified, name } = person;
      const claims = {
        sub,
        email,
        email_verified: emailVerified,
        name,
        preferred_username: email.split("@")[0]!,
      };
      return { accountId: sub, claims: () => claims };
    },
    renderError: (context, { error, error_description: description }) => {
      context.type = "html";
      context.body = errorPage(error, description ?? "");
    },
    ttl: {
      AccessToken: 3600,
      AuthorizationCode: 60,
      Grant: DAY_SECONDS,
      IdToken: 3600,
      Interaction: 3600,
      RefreshToken: DAY_SECONDS,
      Session: DAY_SECONDS,
    },
  };
}

/** New at every start, as everything here. */
async function signingKey(): Promise<JWK> {
  const { privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
  const jwk = privateKey.export({ format: "jwk" }) as JWK;
  return { ...jwk, kid: randomBytes(8).toString("hex"), alg: "RS256", use: "sig" };
}
