import type { AccountId } from "@bursar/contract/ids";
import { clientMessage } from "@bursar/contract/socket/client-messages";
import { CLOSES, type CloseName } from "@bursar/contract/socket/close";
import type { SocketError } from "@bursar/contract/socket/errors";
import { SOCKET_LIMITS } from "@bursar/contract/socket/limits";
import type { Ack, ServerAction, SessionAnswer } from "@bursar/contract/socket/server-messages";
import type { Topic } from "@bursar/contract/socket/topics";
import type { WebSocket } from "ws";
import type { z } from "zod";
import { firstIssue } from "../rest/input.ts";
import type { Admitted } from "./admit.ts";
import { Bucket } from "./bucket.ts";
import type { Credential, Known } from "./credential.ts";
import type { Session } from "./session.ts";

export type Message = z.output<typeof clientMessage>;

/** How a message is answered. */
export type Reply =
  | { readonly kind: "done"; readonly session?: SessionAnswer }
  | ({ readonly kind: "refused" } & SocketError);

/** What happens to a connection. */
export interface ConnectionEvents {
  onMessage(connection: Connection, message: Message): Reply;
  onClose(connection: Connection): void;
}

/** A client that does not answer the end is not waited for longer. */
const GOODBYE_MILLISECONDS = 2000;
/** Below this a client is taken to read along. */
const ROOM_BYTES = 256 * 1024;

/** One socket: reads and judges what arrives, answers each message once, and ends it with a reason. */
export class Connection {
  readonly accountId: AccountId;
  readonly credential: Credential;
  /** As of the last check. */
  known: Known;
  session: Session | null = null;
  readonly topics = new Set<Topic>();
  /** On the machine's own clock, as all patience with networks is. */
  heardAt = performance.now();
  pingedAt = performance.now();
  checkedAt = performance.now();
  readonly #socket: WebSocket;
  readonly #events: ConnectionEvents;
  readonly #bucket = new Bucket(SOCKET_LIMITS.messagesPerSecond, SOCKET_LIMITS.messageBurst);
  #senseless = 0;
  #isEnding = false;

  constructor(socket: WebSocket, admitted: Admitted, events: ConnectionEvents) {
    this.accountId = admitted.accountId;
    this.credential = admitted.credential;
    this.known = admitted.known;
    this.#socket = socket;
    this.#events = events;
    socket.on("message", (data, isBinary) => this.#hear(data as Buffer, isBinary));
    socket.on("pong", () => this.#live());
    // What is wrong on the wire ends the socket by itself; without a listener it would end the process.
    socket.on("error", () => undefined);
    socket.on("close", () => events.onClose(this));
  }

  /** Whether the client keeps up, so that more may be sent. */
  get hasRoom(): boolean {
    return this.#socket.readyState === this.#socket.OPEN && this.#socket.bufferedAmount < ROOM_BYTES;
  }

  /** `onSent` is called when it has left this process. A client that leaves too much unread is cut. */
  send(text: string, onSent?: () => void): void {
    if (this.#isEnding || this.#socket.readyState !== this.#socket.OPEN) return;
    this.#socket.send(text, onSent);
    if (this.#socket.bufferedAmount > SOCKET_LIMITS.unsentBytes) this.close("slow");
  }

  /** For what concerns only this socket, and no session. */
  sendAction(data: ServerAction): void {
    this.send(JSON.stringify({ type: "action", data }));
  }

  ping(now: number): void {
    this.pingedAt = now;
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping();
  }

  close(name: CloseName, reason: string = CLOSES[name].reason): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#socket.close(CLOSES[name].code, reason.slice(0, 120));
    setTimeout(() => this.#socket.terminate(), GOODBYE_MILLISECONDS).unref();
  }

  /** Without waiting for the other side. */
  cut(): void {
    this.#isEnding = true;
    this.#socket.terminate();
  }

  #live(): void {
    this.heardAt = performance.now();
  }

  #hear(data: Buffer, isBinary: boolean): void {
    this.#live();
    if (this.#isEnding) return;
    if (isBinary) return this.close("binary");
    if (!this.#bucket.take()) return this.close("flood");
    const parsed = readJson(data);
    if (parsed === undefined)
      return this.#refuseSenseless(null, { error: "invalid_json", message: "The message is not JSON" });
    const message = clientMessage.safeParse(parsed);
    const txid = txidOf(parsed);
    if (!message.success) return this.#refuseSenseless(txid, errorOf(message.error));
    this.#answer(message.data.txid, this.#events.onMessage(this, message.data));
  }

  #answer(txid: number, reply: Reply): void {
    if (reply.kind === "refused") {
      const { kind: _, ...error } = reply;
      return this.#acknowledge({ type: "ack", txid, success: false, ...error });
    }
    const { session } = reply;
    this.#acknowledge({ type: "ack", txid, success: true, ...(session === undefined ? {} : { session }) });
    // Only now, so that a client knows where it stands before the messages come.
    if (session !== undefined) this.session?.flow();
  }

  #refuseSenseless(txid: number | null, error: SocketError): void {
    this.#acknowledge({ type: "ack", txid, success: false, ...error });
    this.#senseless += 1;
    if (this.#senseless >= SOCKET_LIMITS.senselessMessages) this.close("senseless");
  }

  #acknowledge(ack: Ack): void {
    this.send(JSON.stringify(ack));
  }
}

function readJson(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString()) as unknown;
  } catch {
    return undefined;
  }
}

function txidOf(value: unknown): number | null {
  const found = typeof value === "object" && value !== null && "txid" in value ? value.txid : null;
  return typeof found === "number" && Number.isSafeInteger(found) && found >= 0 ? found : null;
}

function errorOf(error: z.ZodError): SocketError {
  const { message, param } = firstIssue(error);
  return { error: "invalid_request", message, ...(param == null ? {} : { param }) };
}
