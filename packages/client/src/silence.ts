import { BursarUnreachable, type Silence } from "./errors.ts";

const REASONS: Readonly<Record<string, Silence>> = {
  ECONNREFUSED: "refused",
  ENOTFOUND: "unknown_host",
  EAI_AGAIN: "unknown_host",
  UND_ERR_CONNECT_TIMEOUT: "timeout",
  UND_ERR_HEADERS_TIMEOUT: "timeout",
  UND_ERR_BODY_TIMEOUT: "timeout",
  ETIMEDOUT: "timeout",
};

/** Reads why fetch failed. Node hides the code in the cause; browsers tell nothing, which counts as a lost connection. */
export function silenceOf(error: unknown): Silence {
  if (error instanceof Error && error.name === "TimeoutError") return "timeout";
  if (isBlockedPort(error)) return "blocked_port";
  return REASONS[codeOf(error) ?? ""] ?? "connection_lost";
}

/** The fetch standard blocks ports of other protocols, such as 6000; Node tells only by this message. */
function isBlockedPort(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof Error && error.cause.message === "bad port";
}

/** `cause` can be any value, itself with a cause. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = (error as Error & { code?: unknown }).code;
  return typeof code === "string" ? code : codeOf(error.cause);
}

const EXPLANATIONS: Record<Silence, (url: string) => string> = {
  refused: (url) => `Nothing answers at ${url}: the connection was refused. Is the server running there?`,
  unknown_host: (url) => `${url} has a host name that cannot be found. Is it spelled right?`,
  blocked_port: (url) => `fetch does not talk to the port of ${url}. Let the server listen on another one.`,
  timeout: (url) => `${url} took too long to answer.`,
  connection_lost: (url) => `The connection to ${url} broke before the answer was complete.`,
};

export function unreachable(url: string, error: unknown, operationId?: string): BursarUnreachable {
  const reason = silenceOf(error);
  const { origin } = new URL(url);
  return new BursarUnreachable(origin, reason, EXPLANATIONS[reason](origin), operationId, error);
}
