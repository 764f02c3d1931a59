import type { Log } from "@bursar/engine/deps";
import type { Auth, AuthDeps, OidcSettings } from "./auth.ts";

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
export function authOnDemand(depsOf: () => AuthDeps, log: Log): () => Promise<Auth> {
  const make = async (): Promise<Made> => {
    const deps = depsOf();
    const oidc = deps.oidc !== null && (await answers(deps.oidc, log)) ? deps.oidc : null;
    const { createAuth } = await import("./auth.ts");
    const auth = createAuth({ ...deps, oidc });
    await auth.$context;
    return { auth, hasAll: oidc === deps.oidc, at: performance.now() };
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

async function answers(oidc: OidcSettings, log: Log): Promise<boolean> {
  const url = discoveryUrl(oidc);
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MILLISECONDS) });
    await response.arrayBuffer();
    if (response.ok) return true;
    log.warn({ url, status: response.status }, "the OIDC provider does not answer as one");
  } catch (error) {
    log.warn({ err: error, url }, "the OIDC provider cannot be reached");
  }
  return false;
}
