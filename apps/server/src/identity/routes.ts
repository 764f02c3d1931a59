import { newRequestId } from "@bursar/contract/ids";
import type { Deps as EngineDeps } from "@bursar/engine/deps";
import { isUnavailable } from "@bursar/engine/ledger/unavailable";
import { NoPriceBook } from "@bursar/engine/price/prices";
import type { OpenIdentity } from "@bursar/identity/open";
import type { Context, Hono } from "hono";
import { answerOnRecord } from "../administration/compat.ts";
import { message } from "../compat/credit-check/fields.ts";
import type { Route, RouteCall } from "../compat/credit-check/route.ts";
import { readJson } from "../rest/input.ts";
import { isProblem } from "../rest/problem.ts";

const BODY_LIMIT_BYTES = 1 << 20;

interface Deps extends Pick<EngineDeps, "pool" | "clock" | "log"> {
  readonly identity: OpenIdentity;
}

/** Mounts routes of the credit-check API: who calls, may they, what did they send. */
export function mountRoutes(app: Hono, deps: Deps, routes: readonly Route[]): void {
  for (const route of routes) app[route.method](route.path, (context) => answer(context, deps, route));
}

async function answer(context: Context, deps: Deps, route: Route): Promise<Response> {
  const requestId = newRequestId();
  const response = await perform(context, deps, route, requestId).catch((error: unknown) => {
    if (isUnstorable(error)) return message(400, "A text of this request has a NUL character; leave it out");
    if (error instanceof NoPriceBook) return message(503, error.message, route.onUnavailable);
    deps.log.error({ err: error, requestId, where: route.path }, "a route failed");
    return isUnavailable(error)
      ? message(503, "The database cannot be reached; try again", route.onUnavailable)
      : message(500, `Something went wrong on our side; the log knows it as ${requestId}`);
  });
  response.headers.set("x-request-id", requestId);
  if (!response.headers.has("cache-control")) response.headers.set("cache-control", "no-store");
  return response;
}

/** Postgres has no NUL in any text, and says so wherever one arrives: in a name, a path, a reason. */
function isUnstorable(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "22021";
}

async function perform(context: Context, deps: Deps, route: Route, requestId: string): Promise<Response> {
  const person = await admit(context, deps, route);
  if (person instanceof Response) return person;
  const read = await readJson(context.req.raw, BODY_LIMIT_BYTES);
  if (isProblem(read)) return message(read.problem === "body_too_large" ? 413 : 400, read.message);
  const body = read.value ?? {};
  if (typeof body !== "object" || Array.isArray(body)) return message(400, "The body must be a JSON object");
  return answerOnRecord(deps, route, { context, person, body: body as RouteCall["body"], requestId });
}

async function admit(
  context: Context,
  { identity }: Deps,
  route: Route,
): Promise<RouteCall["person"] | Response> {
  if (route.access === "public") return null;
  const who = await identity.authenticate(context.req.raw.headers);
  if (who.kind === "unauthenticated") return message(401, REASONS[who.reason]);
  const isAllowed = route.access === "person" || route.access.includes(who.person.role);
  return isAllowed ? who.person : message(403, "Your role does not allow this");
}

const REASONS = {
  missing: "Log in first: send Authorization: Bearer <access token>",
  invalid: "This access token or session is not good here; log in",
  expired: "The access token has expired; refresh it",
} as const;
