import type { ClientAction, PromptAction } from "@bursar/contract/socket/client-actions";
import type { ClientMessage } from "@bursar/contract/socket/client-messages";
import { SOCKET_LIMITS } from "@bursar/contract/socket/limits";
import type { Ack, ServerMessage, SessionAnswer } from "@bursar/contract/socket/server-messages";
import type { PushOf, Topic } from "@bursar/contract/socket/topics";
import { Answers, type ClientHandlers } from "./answers.ts";
import { type Backoff, DEFAULT_BACKOFF } from "./backoff.ts";
import { SocketRefused } from "./errors.ts";
import { Link, type LinkOptions, type SocketClass } from "./link.ts";
import { Outbox } from "./outbox.ts";
import { Position } from "./position.ts";
import {
  type ActionOf,
  type PromptEnd,
  type PromptListener,
  type PromptRequest,
  Prompts,
} from "./prompts.ts";
import { Subscriptions } from "./subscriptions.ts";

export type SocketState = "connecting" | "connected" | "closed";

export interface SocketOptions extends ClientHandlers, Pick<LinkOptions, "url" | "credential" | "accountId"> {
  /** Kept over a restart of the client, it finds the session again. Default: a new one. Of a tool that was asked for in
   *  a server process that ended, a client with a session of its own choice cannot know whether a former client has
   *  used it: where it has not done so itself, it says that, and does nothing. */
  readonly clientSessionId?: string;
  readonly backoff?: Partial<Backoff>;
  /** Default: the platform's own `WebSocket`. */
  readonly socketClass?: SocketClass;
  readonly onState?: (state: SocketState, reason: SocketRefused | null) => void;
  /** The server goes away and says so; the connection is renewed by itself. */
  readonly onReconnectRequested?: (request: ActionOf<"request-reconnect">) => void;
}

/** How the client sends a message: its number is given when it is sent. */
type Unnumbered<M> = M extends ClientMessage ? Omit<M, "txid"> : never;

const PING_MILLISECONDS = 20_000;
const PONG_MILLISECONDS = 10_000;
/** After so many messages the server hears that they have arrived. */
const NOTED_EVERY = 256;

/** The live way to Bursar: pushes, prompts and what they ask of this client, over one socket that renews itself. What
 *  runs on the server goes on while the connection is away, and in another process when its own ends; nothing is missed,
 *  and nothing is done twice. */
export class BursarSocket {
  readonly #link: Link;
  readonly #options: SocketOptions;
  readonly #outbox = new Outbox();
  readonly #prompts: Prompts;
  readonly #subscriptions: Subscriptions;
  readonly #answers: Answers;
  readonly #inits: PromiseWithResolvers<ActionOf<"init-response">>[] = [];
  #state: SocketState = "connecting";
  /** Why it is over. */
  #end: SocketRefused | null = null;
  #wasConnected = false;
  #txid = 0;
  readonly #position: Position;
  #noted = 0;
  /** Where the server stood when it took up the session again. */
  #resumed: SessionAnswer | null = null;
  #pinging: ReturnType<typeof setInterval> | null = null;
  /** Runs while an answer to a ping is awaited. */
  #late: ReturnType<typeof setTimeout> | null = null;
  /** What is only of use on this very connection. */
  readonly #now = new Map<number, (ack: Ack) => void>();

  constructor(options: SocketOptions) {
    this.#options = options;
    this.#position = new Position(options.clientSessionId ?? `cs_${crypto.randomUUID()}`);
    this.#subscriptions = new Subscriptions(
      (type, topics) => void this.#say({ type, topics }).catch(() => undefined),
    );
    const isSecond = options.clientSessionId !== undefined;
    this.#prompts = new Prompts(isSecond);
    this.#answers = new Answers({ ...options, isSecond }, (action) => this.#act(action));
    this.#link = new Link(
      {
        url: options.url,
        credential: options.credential,
        accountId: options.accountId,
        backoff: { ...DEFAULT_BACKOFF, ...options.backoff },
        socketClass: options.socketClass ?? globalThis.WebSocket,
      },
      {
        onOpen: () => this.#identify(),
        onText: (text) => this.#hear(text),
        onBroken: () => this.#enter("connecting", null),
        onEnd: (reason) => this.#ended(reason),
      },
    );
  }

  get state(): SocketState {
    return this.#state;
  }

  get clientSessionId(): string {
    return this.#position.clientSessionId;
  }

  /** Tells what the account has, without passing the gate. */
  async init(): Promise<ActionOf<"init-response">> {
    const awaited = Promise.withResolvers<ActionOf<"init-response">>();
    this.#inits.push(awaited);
    this.#act({ type: "init" }).catch((error: unknown) => {
      const index = this.#inits.indexOf(awaited);
      if (index !== -1) this.#inits.splice(index, 1);
      awaited.reject(error);
    });
    return awaited.promise;
  }

  /** Runs a prompt; resolves when it has ended, also by being cancelled. Rejects with `SocketRefused` when the gate or
   *  the run says no. Under the same `userInputId` it runs once, and whoever asks again is told how it ended. */
  async prompt(request: PromptRequest, listener: PromptListener = {}): Promise<PromptEnd> {
    const userInputId = request.userInputId ?? `prompt_${crypto.randomUUID()}`;
    const { action, end } = this.#prompts.add({ ...request, type: "prompt", userInputId }, listener);
    if (action !== null) this.#ask(action);
    return end;
  }

  #ask(prompt: PromptAction): void {
    const { userInputId } = prompt;
    this.#act(prompt).then(
      () => this.#prompts.taken(userInputId),
      (error: Error) => {
        // That server closes this connection: the next one is asked.
        if (error instanceof SocketRefused && error.code === "shutting_down")
          this.#prompts.taken(userInputId);
        else this.#prompts.fail(userInputId, error);
      },
    );
  }

  /** At once; what was produced is billed. */
  async cancel(userInputId: string): Promise<void> {
    this.#prompts.cancelled(userInputId);
    await this.#act({ type: "cancel-user-input", userInputId });
  }

  /** Calls with the present state at once, and with every new one. Returns how to stop. */
  subscribe<Name extends Topic>(topic: Name, callback: (data: PushOf<Name>) => void): () => void {
    return this.#subscriptions.add(topic, callback);
  }

  subscribeBalance(callback: (balance: PushOf<"balance">) => void): () => void {
    return this.subscribe("balance", callback);
  }

  /** Ends the connection. What runs on the server goes on, and can be found again by the session's id for a while. */
  close(): void {
    this.#link.end(new SocketRefused("socket_closed", "the socket was closed here"));
  }

  #act(data: ClientAction): Promise<Ack> {
    return this.#say({ type: "action", data });
  }

  /** Kept until it is acknowledged. */
  #say(message: Unnumbered<ClientMessage>): Promise<Ack> {
    if (this.#end !== null) return Promise.reject(this.#end);
    const txid = this.#txid++;
    const text = JSON.stringify({ ...message, txid });
    if (new TextEncoder().encode(text).length > SOCKET_LIMITS.frameBytes)
      return Promise.reject(
        new SocketRefused("body_too_large", `A message has at most ${SOCKET_LIMITS.frameBytes} bytes`),
      );
    const acknowledged = this.#outbox.add(txid, text);
    if (this.#state === "connected") this.#link.send(text);
    return acknowledged;
  }

  /** Said at once or never: only of use on this very connection. Resolves null when it broke. */
  #sayNow(message: Unnumbered<ClientMessage>): Promise<Ack> {
    const txid = this.#txid++;
    const acknowledged = new Promise<Ack>((resolve) => this.#now.set(txid, resolve));
    this.#link.send(JSON.stringify({ ...message, txid }));
    return acknowledged;
  }

  #identify(): void {
    this.#now.clear();
    this.#late ??= setTimeout(() => this.#link.renew(), PONG_MILLISECONDS);
    void this.#sayNow({ type: "identify", ...this.#position.told }).then((ack) => {
      if (ack.success && ack.session !== undefined) return this.#resume(ack.session);
      const { error = "internal", message = "the session was refused" } = ack;
      this.#link.end(new SocketRefused(error, message));
    });
  }

  #resume(session: SessionAnswer): void {
    if (!session.resumed && this.#wasConnected) this.#loseInits();
    this.#wasConnected = true;
    this.#link.settled();
    this.#position.goOn(session);
    this.#noted = this.#position.lastSeq;
    this.#resumed = session;
    this.#enter("connected", null);
    for (const text of this.#outbox.texts()) this.#link.send(text);
    const topics = this.#subscriptions.topics();
    if (topics.length > 0) void this.#sayNow({ type: "subscribe", topics });
    this.#findLost();
    this.#pinging = setInterval(() => this.#ping(), PING_MILLISECONDS);
  }

  #loseInits(): void {
    const lost = new SocketRefused(
      "session_lost",
      "the server does not know this session any more: ask again",
    );
    for (const awaited of this.#inits.splice(0)) awaited.reject(lost);
  }

  /** Browsers do not tell of a dead connection for minutes. */
  #ping(): void {
    this.#noted = this.#position.lastSeq;
    this.#late ??= setTimeout(() => this.#link.renew(), PONG_MILLISECONDS);
    void this.#sayNow({ type: "ping", lastSeq: this.#noted }).then(() => this.#inTime());
  }

  #inTime(): void {
    if (this.#late !== null) clearTimeout(this.#late);
    this.#late = null;
  }

  #hear(text: string): void {
    const message = JSON.parse(text) as ServerMessage;
    switch (message.type) {
      case "ack":
        return this.#acknowledged(message);
      case "push":
        return this.#subscriptions.hear(message);
      case "action":
        if (message.seq === undefined) return this.#hearAside(message.data);
        if (!this.#position.take(message.seq)) return;
        this.#hearAction(message.data);
        if (this.#position.lastSeq - this.#noted >= NOTED_EVERY) this.#ping();
        this.#findLost();
    }
  }

  #acknowledged(ack: Ack): void {
    const now = ack.txid === null ? undefined : this.#now.get(ack.txid);
    if (now === undefined) return this.#outbox.settle(ack);
    this.#now.delete(ack.txid!);
    now(ack);
  }

  #hearAside(data: Extract<ServerMessage, { type: "action" }>["data"]): void {
    if (data.type === "request-reconnect") this.#options.onReconnectRequested?.(data);
  }

  #hearAction(data: Extract<ServerMessage, { type: "action" }>["data"]): void {
    if (data.type === "tool-call-request" || data.type === "read-files") return this.#answers.hear(data);
    if (data.type === "init-response") return this.#inits.shift()?.resolve(data);
    if (data.type === "action-error" && data.userInputId === undefined)
      return this.#inits.shift()?.reject(new SocketRefused(data.error, data.message));
    this.#prompts.hear(data);
  }

  /** Once all that the server had kept is here, what is still open and does not run there is asked for again. */
  #findLost(): void {
    const resumed = this.#resumed;
    if (resumed === null || this.#position.lastSeq < resumed.lastSeq) return;
    this.#resumed = null;
    for (const { request, isCancelled } of this.#prompts.findLost(resumed)) {
      this.#ask(request);
      if (isCancelled) void this.cancel(request.userInputId).catch(() => undefined);
    }
  }

  #enter(state: SocketState, reason: SocketRefused | null): void {
    if (this.#pinging !== null) clearInterval(this.#pinging);
    this.#inTime();
    if (this.#state === state) return;
    this.#state = state;
    this.#options.onState?.(state, reason);
  }

  #ended(reason: SocketRefused): void {
    this.#end = reason;
    this.#enter("closed", reason);
    this.#answers.end();
    this.#outbox.fail(reason);
    this.#prompts.failAll(reason);
    for (const awaited of this.#inits.splice(0)) awaited.reject(reason);
  }
}

/** Opens a socket, which connects by itself. */
export function openSocket(options: SocketOptions): BursarSocket {
  return new BursarSocket(options);
}
