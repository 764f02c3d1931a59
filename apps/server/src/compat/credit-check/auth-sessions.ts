import { type AuthRouteDeps, userOf } from "./auth-answers.ts";
import { message } from "./fields.ts";
import type { Route, RouteCall } from "./route.ts";

/** Who am I, where am I signed in, and out again. */
export function sessionRoutes({ identity }: AuthRouteDeps): Route[] {
  return [
    {
      method: "get",
      path: "/api/auth/me",
      access: "person",
      handle: ({ person }) => Promise.resolve(Response.json({ user: userOf(person!) })),
    },
    {
      method: "get",
      path: "/api/auth/sessions",
      access: "person",
      handle: async ({ person, context }) => {
        const who = await identity.authenticate(context.req.raw.headers);
        const own = who.kind === "authenticated" ? who.sessionId : null;
        const sessions = await identity.sessions(person!.id);
        return Response.json({ sessions: sessions.map((each) => ({ ...each, current: each.id === own })) });
      },
    },
    {
      method: "delete",
      path: "/api/auth/sessions/:sessionId",
      access: "person",
      handle: async ({ person, context }) => {
        const ended = await identity.endSession(context.req.param("sessionId")!, person!.id);
        return ended
          ? message(200, "The session has ended")
          : message(404, "sessionId: is no session of yours");
      },
    },
    {
      method: "post",
      path: "/api/auth/logout",
      access: "public",
      handle: (call) => logOut(identity, call),
    },
    {
      method: "post",
      path: "/api/auth/logout-all",
      access: "person",
      handle: async ({ person }) => {
        await identity.endAllSessions(person!.id);
        return message(200, "Logged out everywhere");
      },
    },
  ];
}

/** By the refresh token, which is good for this even when the access token has expired, else by who calls. A refresh
 *  token that is not known has been logged out before: only whoever also shows who they are has more to end. */
async function logOut(identity: AuthRouteDeps["identity"], { body, context }: RouteCall): Promise<Response> {
  const { refreshToken } = body;
  const hasToken = typeof refreshToken === "string";
  if (hasToken && (await identity.endFamily(refreshToken))) return message(200, "Logged out");
  const who = await identity.authenticate(context.req.raw.headers);
  if (who.kind !== "authenticated")
    return hasToken ? message(200, "Logged out") : message(401, "Send the refreshToken, or an access token");
  await identity.endSession(who.sessionId, who.person.id);
  return message(200, "Logged out");
}
