import { SESSION_LIMITS, SOCKET_LIMITS } from "@bursar/contract/socket/limits";

/** What a test makes shorter. Milliseconds. */
export interface SocketSettings {
  readonly pingMilliseconds: number;
  readonly dropMilliseconds: number;
  /** A credential is checked again so long after the last time. */
  readonly recheckMilliseconds: number;
  /** A session without a socket and without prompts is kept for so long. */
  readonly detachedMilliseconds: number;
  /** How long a request to a client waits for its answer, where the caller does not say. */
  readonly requestMilliseconds: number;
  /** Sockets in this process. */
  readonly sockets: number;
}

export const DEFAULT_SOCKET_SETTINGS: SocketSettings = {
  pingMilliseconds: SOCKET_LIMITS.pingSeconds * 1000,
  dropMilliseconds: SOCKET_LIMITS.dropSeconds * 1000,
  recheckMilliseconds: 20_000,
  detachedMilliseconds: SESSION_LIMITS.detachedSeconds * 1000,
  requestMilliseconds: 120_000,
  sockets: 50_000,
};
