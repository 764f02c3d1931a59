import type { OpenIdentity } from "@bursar/identity/open";
import type { Person } from "@bursar/identity/person";
import type { TokenPair } from "@bursar/identity/token/refresh";
import { callerOf } from "../../identity/caller.ts";
import { adminRoutes } from "./auth-admin.ts";
import { type AuthRouteDeps, limited, userOf } from "./auth-answers.ts";
import { recoveryRoutes } from "./auth-recovery.ts";
import { sessionRoutes } from "./auth-sessions.ts";
import type { CreditCheckDeps } from "./deps.ts";
import { type FieldProblem, fields, isFieldProblem, message, text } from "./fields.ts";
import type { Route, RouteCall } from "./route.ts";

/** Everything under /api/auth. */
export function authRoutes(deps: CreditCheckDeps): Route[] {
  const { identity } = deps;
  const open = (path: string, handle: Route["handle"]): Route => ({
    method: "post",
    path: `/api/auth/${path}`,
    access: "public",
    handle,
  });
  return [
    open("signup", (call) => signUp(deps, call)),
    open("login", (call) => logIn(deps, call)),
    open("refresh", (call) => refresh(identity, call)),
    {
      method: "get",
      path: "/api/auth/.well-known/jwks.json",
      access: "public",
      handle: async () =>
        Response.json(await identity.keys.jwks(), { headers: { "cache-control": "public, max-age=300" } }),
    },
    ...recoveryRoutes(deps),
    ...sessionRoutes(deps),
    ...adminRoutes(deps),
  ];
}

function tokensOf(text: string, person: Person, tokens: TokenPair): object {
  return { message: text, ...tokens, user: userOf(person) };
}

async function signUp(
  { identity, proxyHops }: AuthRouteDeps,
  { context, body }: RouteCall,
): Promise<Response> {
  const input = fields(body, {
    email: text("an e-mail address"),
    password: text("a password of 8 to 128 characters"),
    username: text("3 to 64 letters, digits or _ . -", "optional"),
    name: text("a name", "optional"),
  });
  if (isFieldProblem(input)) return message(input.status, input.message);
  const outcome = await identity.signUp({ ...input, caller: callerOf(context, proxyHops) });
  if (outcome.kind === "limited")
    return limited(outcome.retryAfterSeconds, "Too many sign-ups from this address");
  if (outcome.kind === "taken") return message(409, `${outcome.field}: belongs to somebody already`);
  if (outcome.kind === "unusable") return message(422, outcome.message);
  const { person, tokens } = outcome;
  if (tokens !== null) return Response.json(tokensOf("Signed up", person, tokens), { status: 201 });
  const next = "Signed up. Confirm the e-mail address with the link that was sent to it, then log in";
  return Response.json({ message: next, user: userOf(person) }, { status: 201 });
}

async function logIn(
  { identity, proxyHops }: AuthRouteDeps,
  { context, body }: RouteCall,
): Promise<Response> {
  const input = loginFields(body);
  if (isFieldProblem(input)) return message(input.status, input.message);
  const outcome = await identity.signIn({ ...input, caller: callerOf(context, proxyHops) });
  switch (outcome.kind) {
    case "signed_in":
      return Response.json(tokensOf("Login successful", outcome.person, outcome.tokens));
    case "wrong_credentials":
      return message(401, "The name or the password is wrong");
    case "code_required":
      return message(401, "Send the two-factor code, or a backup code, as `code`", { codeRequired: true });
    case "code_wrong":
      return message(401, outcome.message, { codeRequired: true });
    case "email_unverified":
      return message(403, "Confirm the e-mail address first; a new link has been sent to it");
    case "disabled":
      return message(403, "This account is disabled");
    case "limited":
      return limited(outcome.retryAfterSeconds);
  }
}

function loginFields(body: RouteCall["body"]) {
  const input = fields(body, {
    username: text("a username", "optional"),
    email: text("an e-mail address", "optional"),
    password: text("the password"),
    code: text("a two-factor code or a backup code", "optional"),
  });
  if (isFieldProblem(input)) return input;
  const { username, email, password, code } = input;
  const named = username ?? email;
  if (named !== undefined) return { named, password, code };
  return { status: 400, message: "username: is required, or email" } satisfies FieldProblem;
}

async function refresh(identity: OpenIdentity, { body }: RouteCall): Promise<Response> {
  const input = fields(body, { refreshToken: text("a refresh token") });
  if (isFieldProblem(input)) return message(input.status, input.message);
  const outcome = await identity.refresh(input.refreshToken);
  switch (outcome.kind) {
    case "refreshed":
      return Response.json(tokensOf("Token refreshed", outcome.person, outcome.tokens));
    case "invalid":
      return message(401, "refreshToken: is not known, or its session has ended; log in again");
    case "expired":
      return message(401, "refreshToken: has expired; log in again");
    case "reused":
      return message(401, "refreshToken: was used before, so its session has been ended; log in again");
  }
}
