import type { Role } from "@bursar/identity/person";
import type { CreditCheckDeps } from "../deps.ts";
import { message } from "../fields.ts";
import type { Route, RouteCall } from "../route.ts";
import { type ChatDeps, sendMessage, streamMessage } from "./messages.ts";
import { listModels, recommendModel } from "./models.ts";
import { openObservers } from "./observers.ts";
import { createSession, listOwn, removeSession, showMessages, showSession } from "./sessions.ts";
import { openEventStream } from "./sse.ts";
import { findSession } from "./store.ts";

/** Chats with a model, paid from the person's credits. */
export function chatRoutes(given: CreditCheckDeps): Route[] {
  const deps: ChatDeps = {
    ...given,
    observers: openObservers({ fanOut: given.fanOut ?? null, log: given.log }),
  };
  const own = (method: Route["method"], path: string, handle: Route["handle"]): Route => {
    return { method, path: `/api/chat${path}`, access: "person", handle };
  };
  return [
    own("post", "/sessions", (call) => createSession(deps, call)),
    own("get", "/sessions", (call) => listOwn(deps, call)),
    own("get", "/sessions/:sessionId", (call) => showSession(deps, call)),
    own("delete", "/sessions/:sessionId", (call) => removeSession(deps, call)),
    own("get", "/sessions/:sessionId/messages", (call) => showMessages(deps, call)),
    own("post", "/sessions/:sessionId/messages", (call) => sendMessage(deps, call)),
    own("post", "/sessions/:sessionId/stream", (call) => streamMessage(deps, call)),
    {
      method: "get",
      path: "/api/chat/sessions/:sessionId/observe",
      access: WATCHERS,
      handle: (call) => observe(deps, call),
    },
    own("get", "/models", () => listModels(deps)),
    own("post", "/models/recommend", (call) => recommendModel(deps, call)),
  ];
}

const WATCHERS: readonly Role[] = ["admin", "supervisor"];
const WATCH_SECONDS = 20;

/** A supervisor reads along: what is asked and what is answered from now on, as it happens, whichever process serves the
 *  chat. The answer ends soon after their session or their role has, or when nobody can tell. */
async function observe(deps: ChatDeps, { context }: RouteCall): Promise<Response> {
  const sessionId = context.req.param("sessionId")!;
  if ((await findSession(deps.pool, sessionId)) === null) return message(404, "sessionId: is no chat");
  const who = await deps.identity.authenticate(context.req.raw.headers);
  if (who.kind !== "authenticated") return message(401, "The session has ended; log in again");
  let isWatching = false;
  const unwatch = await deps.observers.watch(sessionId, ({ type, ...facts }) => {
    if (isWatching) stream.send(type, facts);
  });
  const stop = () => {
    clearInterval(checks);
    unwatch();
  };
  const check = async () => {
    const person = await deps.identity.personIn(who.sessionId).catch(() => null);
    if (person !== null && WATCHERS.includes(person.role)) return;
    stop();
    stream.end();
  };
  const checks = setInterval(() => void check(), (deps.watchSeconds ?? WATCH_SECONDS) * 1000).unref();
  const stream = openEventStream(stop);
  isWatching = true;
  stream.send("watching", { sessionId });
  return stream.response;
}
