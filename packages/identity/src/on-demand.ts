import type { Log } from "@bursar/engine/deps";
import type { Auth, AuthDeps } from "./auth.ts";
import { discovered, type OidcSettings } from "./oidc.ts";

/** The same, with a provider that has not been asked yet. */
type OnDemandDeps = Omit<AuthDeps, "oidc"> & { readonly oidc: OidcSettings | null };

const LOOK_AGAIN_MILLISECONDS = 10_000;

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
