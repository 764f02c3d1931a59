import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { SUSPEND } from "@bursar/agent/suspend";
import { ERRORS } from "@bursar/contract/errors";
import { newRequestId } from "@bursar/contract/ids";
import { CLOSES, type CloseName } from "@bursar/contract/socket/close";
import { SOCKET_LIMITS, SOCKET_PATH, SOCKET_PROTOCOL } from "@bursar/contract/socket/limits";
import type { Deps } from "@bursar/engine/deps";
import type { GatePorts } from "@bursar/engine/gate/ports";
import { PromptHands } from "@bursar/engine/prompt/hands";
import { WebSocketServer } from "ws";
import { isProblem, type Problem, problemBody } from "../rest/problem.ts";
import { unexpected } from "../rest/unexpected.ts";
import { admit } from "./admit.ts";
import { Connection } from "./connection.ts";
import { type CredentialDeps, protocolsOf } from "./credential.ts";
import { dispatch } from "./dispatch.ts";
import { Feeds } from "./feeds.ts";
import { ReasonedSocket } from "./reasoned.ts";
import type { AgentRunner } from "./runner.ts";
import { Sessions } from "./sessions.ts";
import { DEFAULT_SOCKET_SETTINGS, type SocketSettings } from "./settings.ts";
import { watch } from "./watch.ts";

export interface SocketDeps
  extends CredentialDeps,
    Pick<Deps, "ledger" | "prices" | "pool" | "clock" | "log" | "changes"> {
  readonly gate: GatePorts;
  readonly runner: AgentRunner;
  readonly settings?: Partial<SocketSettings>;
}

export interface Sockets {
  /** For a server's `upgrade` event. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** How many are open now. */
  readonly size: number;
  /** Tells every client to reconnect, lets running prompts end, and after the grace cuts and bills them where they are:
   *  they go on where their clients go. */
  close(graceMilliseconds: number): Promise<void>;
}

const SWEEP_MILLISECONDS = 5000;
const GOODBYE_MILLISECONDS = 2000;

/** The live gate at `/ws`. */
export function openSockets(request: SocketDeps): Sockets {
  return new OpenSockets(request);
}

class OpenSockets implements Sockets {
  readonly #deps: SocketDeps & { readonly settings: SocketSettings };
  readonly #connections = new Set<Connection>();
  readonly #sessions = new Sessions();
  readonly #hands: PromptHands;
  readonly #feeds: Feeds;
  readonly #server: WebSocketServer;
  readonly #stopWatching: () => void;
  readonly #sweeping: NodeJS.Timeout;
  #isClosing = false;

  constructor(request: SocketDeps) {
    const settings = { ...DEFAULT_SOCKET_SETTINGS, ...request.settings };
    this.#deps = { ...request, settings };
    this.#hands = new PromptHands(request);
    this.#feeds = new Feeds(request);
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: SOCKET_LIMITS.frameBytes,
      WebSocket: ReasonedSocket,
      handleProtocols: (offered) => (offered.has(SOCKET_PROTOCOL) ? SOCKET_PROTOCOL : false),
    });
    this.#stopWatching = watch({ connections: this.#connections, sessions: this.#sessions }, this.#deps);
    const every = Math.min(SWEEP_MILLISECONDS, settings.detachedMilliseconds);
    this.#sweeping = setInterval(() => this.#sessions.sweep(settings.detachedMilliseconds), every).unref();
  }

  get size(): number {
    return this.#connections.size;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => socket.destroy());
    void this.#admit(request, socket, head).catch((error: unknown) => {
      this.#deps.log.error({ err: error }, "a socket could not be opened");
      socket.destroy();
    });
  }

  async close(graceMilliseconds: number): Promise<void> {
    this.#isClosing = true;
    clearInterval(this.#sweeping);
    const reason = CLOSES.restarting.reason;
    for (const connection of this.#connections)
      connection.sendAction({ type: "request-reconnect", reason, withinMilliseconds: graceMilliseconds });
    for (const connection of this.#connections)
      if ((connection.session?.running.size ?? 0) === 0) connection.close("restarting");
    await this.#endPrompts(graceMilliseconds);
    this.#stopWatching();
    for (const connection of this.#connections) connection.close("restarting");
    await this.#allClosed(GOODBYE_MILLISECONDS);
    for (const connection of this.#connections) connection.cut();
    this.#feeds.close();
    this.#hands.close();
  }

  async #admit(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const path = new URL(request.url ?? "/", "http://socket").pathname;
    if (path !== SOCKET_PATH)
      return refuse(socket, { problem: "not_found", message: `There is no socket at ${path}` });
    if (this.#isClosing) return this.#turnAway(request, socket, head, "restarting");
    if (this.#connections.size >= this.#deps.settings.sockets)
      return this.#turnAway(request, socket, head, "overloaded");
    const admitted = await admit(this.#deps, request).catch((error: unknown) =>
      unexpected(this.#deps, error, newRequestId(), SOCKET_PATH),
    );
    if (isProblem(admitted)) return this.#turnAway(request, socket, head, closeFor(admitted), admitted);
    this.#server.handleUpgrade(request, socket, head, (opened) => {
      const connection = new Connection(opened, admitted, {
        onMessage: (from, message) => dispatch(this.#dispatchDeps(), from, message),
        onClose: (closed) => this.#forget(closed),
      });
      this.#connections.add(connection);
      if (this.#isClosing) connection.close("restarting");
    });
  }

  #dispatchDeps() {
    return {
      ...this.#deps,
      feeds: this.#feeds,
      sessions: this.#sessions,
      hands: this.#hands,
      isClosing: () => this.#isClosing,
    };
  }

  #forget(connection: Connection): void {
    this.#connections.delete(connection);
    for (const topic of connection.topics) this.#feeds.unsubscribe(connection.accountId, topic, connection);
    connection.session?.detach(connection);
  }

  /** A client of our protocol is let in and told why it must go, because browsers hide an HTTP refusal from their pages.
   *  Others get that refusal. */
  #turnAway(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    name: CloseName,
    problem?: Problem,
  ): void {
    const shown = problem ?? { problem: "unavailable", message: CLOSES[name].reason };
    if (!protocolsOf(request).includes(SOCKET_PROTOCOL)) return refuse(socket, shown);
    this.#server.handleUpgrade(request, socket, head, (opened) => {
      opened.on("error", () => undefined);
      opened.close(CLOSES[name].code, shown.message.slice(0, 120));
      setTimeout(() => opened.terminate(), GOODBYE_MILLISECONDS).unref();
    });
  }

  async #endPrompts(graceMilliseconds: number): Promise<void> {
    const running = () => [...this.#sessions].flatMap((session) => [...session.running.values()]);
    const allDone = () => Promise.all(running().map(({ done }) => done));
    const patience = (milliseconds: number) => delay(milliseconds, undefined, { ref: false });
    await Promise.race([allDone(), patience(graceMilliseconds)]);
    for (const { abort } of running()) abort.abort(SUSPEND);
    await Promise.race([allDone(), patience(GOODBYE_MILLISECONDS)]);
  }

  async #allClosed(milliseconds: number): Promise<void> {
    const end = performance.now() + milliseconds;
    while (this.#connections.size > 0 && performance.now() < end) await delay(10);
  }
}

function closeFor({ problem }: Problem): CloseName {
  const type = ERRORS[problem].type;
  if (type === "authentication_error") return "unauthenticated";
  return type === "unavailable_error" || type === "internal_error" ? "unavailable" : "forbidden";
}

function refuse(socket: Duplex, problem: Problem): void {
  const { status } = ERRORS[problem.problem];
  const body = JSON.stringify(problemBody(problem, newRequestId()));
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
