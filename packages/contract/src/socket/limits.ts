/** Where the socket is. */
export const SOCKET_PATH = "/ws";

/** The subprotocol that speaks this contract. A client that offers it hears why it was refused, by a close code. */
export const SOCKET_PROTOCOL = "bursar.v1";

/** Browsers cannot send headers with a socket: `bearer.<API key or access token>`, offered as a second subprotocol,
 *  does the same. The server never answers with it. */
export const BEARER_PREFIX = "bearer.";

/** What one socket may do. Beyond it, it is closed with the reason. */
export const SOCKET_LIMITS = {
  /** Of one message from a client, in bytes. */
  frameBytes: 64 * 1024,
  /** Sustained and at once: a socket may save up this many. */
  messagesPerSecond: 200,
  messageBurst: 400,
  /** Messages that make no sense, before the socket is closed. */
  senselessMessages: 10,
  topics: 32,
  /** What may wait in the server for a client that does not read. */
  unsentBytes: 1024 * 1024,
  /** The server asks for a sign of life this often, and cuts a socket that gave none for `dropSeconds`. */
  pingSeconds: 30,
  dropSeconds: 60,
} as const;

/** What one session may hold. */
export const SESSION_LIMITS = {
  /** Messages and bytes kept for a resume; older ones are given up first. */
  replayMessages: 4096,
  replayBytes: 2 * 1024 * 1024,
  /** How long a session without a socket is kept after its last prompt has ended. */
  detachedSeconds: 120,
  /** Prompts that run at the same time. */
  prompts: 4,
  /** Sessions of one account in one process. */
  perAccount: 256,
  /** Of one answer of a client to a request of the server, in all its pieces. */
  answerBytes: 4 * 1024 * 1024,
} as const;
