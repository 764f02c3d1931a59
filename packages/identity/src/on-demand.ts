import type { Log } from "@bursar/engine/deps";
import type { Auth, AuthDeps, DiscoveredOidc, OidcSettings } from "./auth.ts";

/** The same, with a provider that has not been asked yet. */
type OnDemandDeps = Omit<AuthDeps, "oidc"> & { readonly oidc: OidcSettings | null };

const LOOK_AGAIN_MILLISECONDS = 10_000;
const PATIENCE_MILLISECONDS = 3_000;

interface Made {
  readonly auth: Auth;
  readonly hasAll: boolean;
  readonly at: number;
}

/** better-auth, loaded when it is first needed, so that a start does not wait for it. It asks the OIDC provider once,
 *  when it is made, and would wait for ever; so it is made without a provider that does not answer soon, and made anew
 *  behind the back of those who sign in otherwise. */
export function authOnDemand(depsOf: () => OnDemandDeps, log: Log): () => Promise<Auth> {
  const make = async (): Promise<Made> => {
    const deps = depsOf();
    const oidc = deps.oidc === null ? null : await discovered(deps.oidc, log);
    const { createAuth } = await import("./auth.ts");
    const auth = createAuth({ ...deps, oidc });
    await auth.$context;
    return { auth, hasAll: (oidc === null) === (deps.oidc === null), at: performance.now() };
  };
  let made: Promise<Made> | null = null;
  let isLookingAgain = false;
  const lookAgain = () => {
    isLookingAgain = true;
    const next = make();
    next
      .then(
        () => {
          made = next;
        },
        (error: unknown) => log.warn({ err: error }, "the OIDC provider could not be asked again"),
      )
      .finally(() => {
        isLookingAgain = false;
      });
  };
  return async () => {
    made ??= make();
    try {
      const { auth, hasAll, at } = await made;
      if (!hasAll && !isLookingAgain && performance.now() - at > LOOK_AGAIN_MILLISECONDS) lookAgain();
      return auth;
    } catch (error) {
      made = null;
      throw error;
    }
  };
}

export function discoveryUrl({ issuer }: OidcSettings): string {
  return `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
}

/** null when the provider does not answer as one. */
async function discovered(oidc: OidcSettings, log: Log): Promise<DiscoveredOidc | null> {
  const url = discoveryUrl(oidc);
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MILLISECONDS) });
    if (response.ok) return { ...oidc, secretBy: secretBy(await response.json()) };
    log.warn({ url, status: response.status }, "the OIDC provider does not answer as one");
  } catch (error) {
    log.warn({ err: error, url }, "the OIDC provider cannot be reached");
  }
  return null;
}

/** In the header, as OpenID Connect Core has it where nothing else is said, unless the provider takes only the body. */
function secretBy(document: unknown): DiscoveredOidc["secretBy"] {
  const { token_endpoint_auth_methods_supported: methods } = Object(document) as Record<string, unknown>;
  const isBodyOnly = Array.isArray(methods) && !methods.includes("client_secret_basic");
  return isBodyOnly ? "client_secret_post" : "client_secret_basic";
}
