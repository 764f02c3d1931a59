/** Why the server ends a socket. `retry` says what a client does next: connect again at once with backoff ("again"),
 *  get a new credential first ("credential"), or leave it ("never"). The reason in the close frame says more. */
export const CLOSES = {
  restarting: { code: 1012, retry: "again", reason: "the server restarts: connect again" },
  too_large: { code: 1009, retry: "never", reason: "a message was larger than 65536 bytes" },
  binary: { code: 1003, retry: "never", reason: "messages are JSON text, not binary" },
  senseless: { code: 4400, retry: "never", reason: "too many messages that make no sense" },
  unauthenticated: { code: 4401, retry: "credential", reason: "the credential is not good, or not any more" },
  forbidden: { code: 4403, retry: "never", reason: "this credential may not use that account" },
  silent: { code: 4408, retry: "again", reason: "no sign of life for 60 seconds" },
  taken_over: { code: 4409, retry: "never", reason: "the session goes on in another socket" },
  flood: { code: 4429, retry: "again", reason: "too many messages a second" },
  overloaded: { code: 1013, retry: "again", reason: "this server has as many sockets as it can" },
  slow: { code: 4431, retry: "again", reason: "the client does not read fast enough" },
  unavailable: { code: 4503, retry: "again", reason: "the database cannot be reached" },
} as const;

export type CloseName = keyof typeof CLOSES;

export type Retry = (typeof CLOSES)[CloseName]["retry"];

const BY_CODE = new Map<number, CloseName>(
  (Object.keys(CLOSES) as CloseName[]).map((name) => [CLOSES[name].code, name]),
);

/** What a close code of the server means; null for a connection that simply broke. */
export function closeNamed(code: number): CloseName | null {
  return BY_CODE.get(code) ?? null;
}
