import { formatInstant } from "@bursar/contract/instant";
import { randomText } from "@bursar/contract/random-text";
import { numberOf } from "../amounts.ts";
import type { CreditCheckDeps } from "../deps.ts";
import { isModelId, message } from "../fields.ts";
import { pricedModel } from "../pricing.ts";
import type { RouteCall } from "../route.ts";
import {
  type ChatMessage,
  type ChatSession,
  deleteSession,
  findSession,
  insertSession,
  lastMessages,
  listSessions,
} from "./store.ts";

const suffix = randomText("0123456789abcdefghjkmnpqrstvwxyz", 24);
const LONGEST_TITLE = 200;
const LIST_LIMIT = 200;
/** A chat costs nothing until something is said in it. All of these are in the list. */
const MOST_EMPTY = 100;
const EMPTY_LEFT = `${MOST_EMPTY} of your chats are empty: use one, or delete one`;
const MESSAGES_LIMIT = 500;

export const newMessageId = () => `msg_${suffix()}`;

export async function createSession(deps: CreditCheckDeps, { person, body }: RouteCall): Promise<Response> {
  const { modelId, title = "New chat" } = body;
  const book = await deps.prices.current();
  const model = modelId ?? Object.keys(book.body.models)[0];
  if (!isModelId(model) || !Object.hasOwn(book.body.models, pricedModel(book, model)))
    return message(404, "modelId: must be a model with a price");
  if (typeof title !== "string" || title.trim() === "" || title.length > LONGEST_TITLE)
    return message(400, `title: must be 1 to ${LONGEST_TITLE} characters`);
  const now = deps.clock.now();
  const session = {
    ...{ accountId: person!.accountId, sessionId: `chat_${suffix()}`, title: title.replaceAll("\0", "") },
    ...{ modelId: model, createdAt: now, updatedAt: now },
  };
  const isNew = await insertSession(deps.pool, session, MOST_EMPTY);
  if (!isNew) return message(429, EMPTY_LEFT, { code: "TOO_MANY_EMPTY_CHATS" });
  return Response.json(sessionAnswer(session), { status: 201 });
}

export async function listOwn(deps: CreditCheckDeps, { person }: RouteCall): Promise<Response> {
  const sessions = await listSessions(deps.pool, person!.accountId, LIST_LIMIT);
  return Response.json({ sessions: sessions.map(sessionAnswer) });
}

export async function showSession(deps: CreditCheckDeps, call: RouteCall): Promise<Response> {
  const session = await ownSession(deps, call);
  if (session instanceof Response) return session;
  const messages = await lastMessages(deps.pool, session, MESSAGES_LIMIT);
  return Response.json({ ...sessionAnswer(session), messages: messages.map(messageAnswer) });
}

export async function showMessages(deps: CreditCheckDeps, call: RouteCall): Promise<Response> {
  const session = await ownSession(deps, call);
  if (session instanceof Response) return session;
  const messages = await lastMessages(deps.pool, session, MESSAGES_LIMIT);
  return Response.json({ messages: messages.map(messageAnswer) });
}

export async function removeSession(deps: CreditCheckDeps, call: RouteCall): Promise<Response> {
  const session = await ownSession(deps, call);
  if (session instanceof Response) return session;
  await deleteSession(deps.pool, session.accountId, session.sessionId);
  return message(200, "Chat deleted");
}

/** The session of the path if it is the caller's own: 404 for none, 403 for somebody else's. */
export async function ownSession(
  deps: Pick<CreditCheckDeps, "pool">,
  { person, context }: Pick<RouteCall, "person" | "context">,
): Promise<ChatSession | Response> {
  const session = await findSession(deps.pool, context.req.param("sessionId")!);
  if (session === null) return message(404, "sessionId: is no chat");
  return session.accountId === person!.accountId ? session : message(403, "This chat is somebody else's");
}

export function sessionAnswer({ sessionId, title, modelId, createdAt, updatedAt }: ChatSession) {
  const times = { createdAt: formatInstant(createdAt), updatedAt: formatInstant(updatedAt) };
  return { id: sessionId, sessionId, title, modelId, ...times };
}

export function messageAnswer(one: ChatMessage) {
  const { messageId, role, content, status, modelId, inputTokens, outputTokens, credits, requestId } = one;
  return {
    ...{ id: messageId, role, content, status, modelId, requestId },
    inputTokens: inputTokens === null ? null : Number(inputTokens),
    outputTokens: outputTokens === null ? null : Number(outputTokens),
    credits: credits === null ? null : numberOf(credits),
    createdAt: formatInstant(one.createdAt),
  };
}
