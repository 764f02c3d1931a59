import { newRequestId } from "@bursar/contract/ids";
import type { Log } from "@bursar/engine/deps";
import { isUnavailable } from "@bursar/engine/ledger/unavailable";
import type { OpenIdentity } from "@bursar/identity/open";
import { IDENTITY_PATH, OAUTH_CALLBACK_PATH } from "@bursar/identity/paths";
import type { Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { callerOf } from "./caller.ts";
import { BODY_LIMIT_BYTES } from "./pages/ask.ts";
import { mountDevicePage } from "./pages/device.ts";
import { mountMailLinks } from "./pages/mail-links.ts";
import { mountSecondFactorPage } from "./pages/second-factor.ts";
import { requireSameOrigin } from "./same-origin.ts";

export interface IdentityMountDeps {
  readonly identity: OpenIdentity;
  readonly log: Log;
  readonly proxyHops: number;
}

const tooLarge = (context: Context) =>
  context.json({ message: `The body must have at most ${BODY_LIMIT_BYTES} bytes` }, 413);

/** Signing in for browsers and the CLI, the published keys, and the guard in front of every cookie. To be mounted before
 *  everything that a session cookie opens. */
export function mountIdentity(app: Hono, deps: IdentityMountDeps): void {
  const { identity } = deps;
  app.use("*", requireSameOrigin(identity.url));
  app.get("/.well-known/jwks.json", async (context) => {
    context.header("cache-control", "public, max-age=300");
    return context.json(await identity.keys.jwks());
  });
  const handle = (context: Context) => answer(context, deps);
  app.use(`${IDENTITY_PATH}/*`, bodyLimit({ maxSize: BODY_LIMIT_BYTES, onError: tooLarge }));
  app.on(["GET", "POST"], `${IDENTITY_PATH}/*`, handle);
  app.get(OAUTH_CALLBACK_PATH, handle);
  const pages = { identity, proxyHops: deps.proxyHops, hasOidc: identity.hasOidc };
  mountDevicePage(app, pages);
  mountSecondFactorPage(app, pages);
  mountMailLinks(app, pages);
}

/** Fails closed: without the database nobody is let in, and the answer says so. */
async function answer(context: Context, { identity, log, proxyHops }: IdentityMountDeps): Promise<Response> {
  try {
    const answer = await identity.handle(context.req.raw, callerOf(context, proxyHops).address);
    // The library says nothing about paths that it does not have.
    if (answer.status !== 404 || answer.headers.has("content-type")) return answer;
    return context.json({ message: `There is no ${context.req.method} ${context.req.path}` }, 404);
  } catch (error) {
    const requestId = newRequestId();
    const status = isUnavailable(error) ? 503 : 500;
    log.error({ err: error, requestId, where: context.req.path }, "identity could not answer");
    const message =
      status === 503 ? "The database cannot be reached; try again" : "Something went wrong on our side";
    return context.json({ message, requestId }, status);
  }
}
