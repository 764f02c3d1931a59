import { CLOSES, type CloseName, closeNamed } from "@bursar/contract/socket/close";
import { BEARER_PREFIX, SOCKET_PATH, SOCKET_PROTOCOL } from "@bursar/contract/socket/limits";
import { targetOf } from "../request.ts";
import { type Backoff, delayBefore } from "./backoff.ts";
import { SocketRefused } from "./errors.ts";

/** What opens sockets: the browser's or Node's own class. */
export type SocketClass = new (url: string, protocols: string[]) => WebSocket;

export interface LinkOptions {
  /** The server's address, such as `http://127.0.0.1:3000`. */
  readonly url: string;
  /** An API key or access token, or how to get one that is good now. Absent: the browser's session cookie. */
  readonly credential?: string | (() => string | Promise<string>) | undefined;
  readonly accountId?: string | undefined;
  readonly backoff: Backoff;
  readonly socketClass: SocketClass;
}

export interface LinkEvents {
  /** A connection is there; everything must be said anew. */
  onOpen(): void;
  onText(text: string): void;
  /** The connection broke, and is tried again. */
  onBroken(): void;
  /** It ended for good. */
  onEnd(reason: SocketRefused): void;
}

/** A connection that has not come about by then is tried anew: a platform may wait for minutes. */
const OPENING_MILLISECONDS = 20_000;

/** A token of RFC 9110: what a subprotocol may be made of. */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

/** One connection at a time, renewed by itself for as long as that makes sense. */
export class Link {
  readonly #options: LinkOptions;
  readonly #events: LinkEvents;
  #socket: WebSocket | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #opening: ReturnType<typeof setTimeout> | null = null;
  #attempt = 0;
  /** The credential that was refused, and why. */
  #refused: { readonly credential: string | null; readonly reason: string } | null = null;
  #isEnded = false;

  constructor(options: LinkOptions, events: LinkEvents) {
    this.#options = options;
    this.#events = events;
    void this.#connect();
  }

  /** False: there is no connection now. */
  send(text: string): boolean {
    if (this.#socket?.readyState !== 1) return false;
    this.#socket.send(text);
    return true;
  }

  /** All is well: the next break begins with the shortest wait again. */
  settled(): void {
    this.#attempt = 0;
    this.#refused = null;
  }

  /** Takes the connection for broken. */
  renew(): void {
    this.#drop();
    this.#broken();
  }

  end(reason: SocketRefused): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#drop();
    this.#events.onEnd(reason);
  }

  async #connect(): Promise<void> {
    let credential: string | null;
    try {
      credential = await this.#credential();
    } catch (error) {
      if (mayPass(error)) return this.#broken();
      const message = error instanceof Error ? error.message : String(error);
      return this.end(new SocketRefused("unauthenticated", message));
    }
    if (this.#isEnded) return;
    if (credential !== null && credential === this.#refused?.credential)
      return this.end(new SocketRefused("unauthenticated", this.#refused.reason));
    const socket = this.#open(credential);
    if (socket === null) return;
    this.#socket = socket;
    const isMine = () => this.#socket === socket;
    this.#opening = setTimeout(() => this.renew(), OPENING_MILLISECONDS);
    socket.addEventListener("open", () => {
      if (!isMine()) return;
      this.#noLongerOpening();
      this.#events.onOpen();
    });
    socket.addEventListener("message", ({ data }) => {
      if (isMine() && typeof data === "string") this.#events.onText(data);
    });
    // A failure shows as an error and a close; the close tells more.
    socket.addEventListener("error", () => undefined);
    socket.addEventListener(
      "close",
      ({ code, reason }) => isMine() && this.#closed(code, reason, credential),
    );
  }

  #open(credential: string | null): WebSocket | null {
    const protocols =
      credential === null ? [SOCKET_PROTOCOL] : [SOCKET_PROTOCOL, `${BEARER_PREFIX}${credential}`];
    try {
      return new this.#options.socketClass(socketUrl(this.#options), protocols);
    } catch (error) {
      this.end(new SocketRefused("invalid_request", error instanceof Error ? error.message : String(error)));
      return null;
    }
  }

  async #credential(): Promise<string | null> {
    const { credential } = this.#options;
    const value = typeof credential === "function" ? await credential() : (credential ?? null);
    if (value !== null && !TOKEN.test(value))
      this.end(
        new SocketRefused("invalid_request", "the credential has characters that no socket can carry"),
      );
    return value;
  }

  #noLongerOpening(): void {
    if (this.#opening !== null) clearTimeout(this.#opening);
    this.#opening = null;
  }

  #closed(code: number, reason: string, credential: string | null): void {
    this.#socket = null;
    this.#noLongerOpening();
    const name: CloseName | null = closeNamed(code);
    const retry = name === null ? "again" : CLOSES[name].retry;
    const because = reason === "" && name !== null ? CLOSES[name].reason : reason;
    if (retry === "never" || (retry === "credential" && typeof this.#options.credential !== "function")) {
      const refusal = name === "unauthenticated" ? "unauthenticated" : (name ?? "socket_closed");
      return this.end(new SocketRefused(refusal, because));
    }
    // One that was refused is not shown twice: another must come.
    if (retry === "credential") this.#refused = { credential, reason: because };
    this.#broken();
  }

  #broken(): void {
    if (this.#isEnded || this.#timer !== null) return;
    this.#events.onBroken();
    const delay = delayBefore(this.#options.backoff, this.#attempt++, Math.random());
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#connect();
    }, delay);
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#noLongerOpening();
    socket?.close(1000);
  }
}

/** Whether it was the way to the credential that failed, and not the credential. */
function mayPass(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.name === "BursarUnreachable" || ("code" in error && error.code === "unavailable");
}

function socketUrl({ url, accountId }: LinkOptions): string {
  const target = new URL(targetOf(url, undefined).url + SOCKET_PATH);
  target.protocol = target.protocol.replace("http", "ws");
  if (accountId !== undefined) target.searchParams.set("accountId", accountId);
  return target.href;
}
