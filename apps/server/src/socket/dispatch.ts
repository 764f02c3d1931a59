import { newRequestId } from "@bursar/contract/ids";
import type { ClientAction } from "@bursar/contract/socket/client-actions";
import type { SocketError } from "@bursar/contract/socket/errors";
import { SESSION_LIMITS, SOCKET_LIMITS } from "@bursar/contract/socket/limits";
import { parseTopic, TOPICS, type Topic } from "@bursar/contract/socket/topics";
import { unexpected } from "../rest/unexpected.ts";
import type { Connection, Message, Reply } from "./connection.ts";
import type { Feeds } from "./feeds.ts";
import { type PromptDeps, startPrompt } from "./prompt.ts";
import type { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";
import { usageOf } from "./usage.ts";

export interface DispatchDeps extends PromptDeps {
  readonly feeds: Feeds;
  readonly sessions: Sessions;
  /** Whether new work may begin. */
  readonly isClosing: () => boolean;
}

const DONE: Reply = { kind: "done" };

/** What each message does. Everything that takes time goes on after the acknowledgement. */
export function dispatch(deps: DispatchDeps, connection: Connection, message: Message): Reply {
  switch (message.type) {
    case "ping":
      if (message.lastSeq !== undefined) connection.session?.arrived(message.lastSeq);
      return DONE;
    case "identify":
      return identify(deps, connection, message);
    case "subscribe":
      return subscribe(deps, connection, message.topics);
    case "unsubscribe":
      return unsubscribe(deps, connection, message.topics);
    case "action": {
      const { session } = connection;
      if (session === null) return notIdentified;
      const error = act(deps, connection, session, message.data);
      return error === null ? DONE : refusedWith(error);
    }
  }
}

function identify(
  { sessions }: DispatchDeps,
  connection: Connection,
  { clientSessionId: id, lastSeq = 0, life }: Extract<Message, { type: "identify" }>,
): Reply {
  const { accountId } = connection;
  if (connection.session !== null && connection.session.id !== id)
    return refusedWith({
      error: "session_refused",
      message: "This socket has a session already",
      param: "clientSessionId",
    });
  const session = sessions.open(accountId, connection.known.principal.by, id);
  if (session === null) {
    const message = `At most ${SESSION_LIMITS.perAccount} sessions of an account`;
    return refusedWith({ error: "session_refused", message });
  }
  if (connection.session === session) connection.session.detach(connection);
  connection.session = session;
  return { kind: "done", session: session.attach(connection, lastSeq, life) };
}

function subscribe({ feeds }: DispatchDeps, connection: Connection, names: readonly string[]): Reply {
  const topics = topicsNamed(connection, names);
  if ("error" in topics) return refusedWith(topics);
  if (connection.topics.size + topics.length > SOCKET_LIMITS.topics)
    return refusedWith({
      error: "too_many_topics",
      message: `At most ${SOCKET_LIMITS.topics} topics`,
      param: "topics",
    });
  for (const topic of topics) {
    connection.topics.add(topic);
    feeds.subscribe(connection.accountId, topic, connection);
  }
  return DONE;
}

function unsubscribe({ feeds }: DispatchDeps, connection: Connection, names: readonly string[]): Reply {
  const topics = topicsNamed(connection, names);
  if ("error" in topics) return refusedWith(topics);
  for (const topic of topics) {
    connection.topics.delete(topic);
    feeds.unsubscribe(connection.accountId, topic, connection);
  }
  return DONE;
}

/** All of them, or the first that is wrong. */
function topicsNamed({ accountId }: Connection, names: readonly string[]): Topic[] | SocketError {
  const topics: Topic[] = [];
  for (const name of names) {
    const parsed = parseTopic(name);
    if (parsed === null) {
      const message = `There is no topic "${name}"; there are ${TOPICS.join(", ")}`;
      return { error: "topic_unknown", message, param: "topics" };
    }
    if (parsed.accountId !== null && parsed.accountId !== accountId) {
      const message = `This socket is for ${accountId}; open another for another account`;
      return { error: "topic_forbidden", message, param: "topics" };
    }
    topics.push(parsed.topic);
  }
  return topics;
}

/** null: taken. Only a prompt passes the gate: cancelling, initialising and reading usage never do. */
function act(
  deps: DispatchDeps,
  connection: Connection,
  session: Session,
  action: ClientAction,
): SocketError | null {
  switch (action.type) {
    case "init":
      void sendInit(deps, session);
      return null;
    case "prompt":
      if (deps.isClosing())
        return { error: "shutting_down", message: "This server restarts: connect again, then ask again" };
      return startPrompt(deps, connection, session, action);
    case "cancel-user-input":
      return cancel(session, action.userInputId);
    case "tool-call-response":
    case "read-files-response":
      return session.asked.take(action);
  }
}

/** At once: what was produced is billed, and nothing more is shown. */
function cancel(session: Session, userInputId: string): SocketError | null {
  const running = session.running.get(userInputId);
  if (running === undefined && session.hasRun(userInputId)) return null;
  if (running === undefined)
    return {
      error: "prompt_unknown",
      message: `No prompt ${userInputId} runs here`,
      param: "data.userInputId",
    };
  running.abort.abort();
  return null;
}

async function sendInit(deps: DispatchDeps, session: Session): Promise<void> {
  const { accountId } = session;
  try {
    session.send({ type: "init-response", accountId, ...(await usageOf(deps, accountId)) });
  } catch (thrown) {
    const { problem: error, message } = unexpected(deps, thrown, newRequestId(), "socket init");
    session.send({ type: "action-error", error, message });
  }
}

const notIdentified: Reply = {
  kind: "refused",
  error: "not_identified",
  message: "Identify first: actions belong to a session",
};

function refusedWith(error: SocketError): Reply {
  return { kind: "refused", ...error };
}
