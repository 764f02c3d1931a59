import { randomUUID } from "node:crypto";
import { SUSPEND } from "@bursar/agent/suspend";
import type { AccountId } from "@bursar/contract/ids";
import type { CloseName } from "@bursar/contract/socket/close";
import { SESSION_LIMITS } from "@bursar/contract/socket/limits";
import type { ServerAction, SessionAnswer } from "@bursar/contract/socket/server-messages";
import { type Answered, Asked } from "./asked.ts";
import type { Credential, Known } from "./credential.ts";
import { Replay } from "./replay.ts";

/** A prompt that runs. */
export interface RunningPrompt {
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

export type ClientRequest =
  | {
      readonly kind: "tool";
      readonly toolName: string;
      readonly input: unknown;
      /** Where it must be the same in every life of the run; default: a new one. */
      readonly requestId?: string;
      /** It was asked before, under the same id. */
      readonly isAgain?: boolean;
    }
  | { readonly kind: "files"; readonly filePaths: readonly string[] };

/** Where a session's client listens, and by what right. */
export interface SessionSocket {
  readonly accountId: AccountId;
  readonly session: Session | null;
  readonly credential: Credential;
  /** As of the last check, and when that was. */
  known: Known;
  checkedAt: number;
  readonly hasRoom: boolean;
  readonly heardAt: number;
  send(text: string, onSent: () => void): void;
  ping(now: number): void;
  close(name: CloseName, reason?: string): void;
}

interface OpenRequest {
  readonly action: Extract<ServerAction, { type: "tool-call-request" | "read-files" }>;
  /** Number of the message that it went in. */
  seq: number;
}

/** How many ended prompts are remembered, so that one that is sent again does not run again. */
const REMEMBERED_PROMPTS = 1024;

/** What lives on while a client's sockets come and go: its prompts, what they ask of it, and what it has not seen yet. */
export class Session {
  readonly id: string;
  readonly accountId: AccountId;
  /** Names the numbers of this session's messages: another process, and a later session here, has others. */
  readonly life: string = randomUUID();
  readonly asked = new Asked();
  readonly running = new Map<string, RunningPrompt>();
  /** Since when nobody is there and nothing runs. */
  idleSince: number | null = null;
  /** Since when nobody is there. */
  #awaySince: number | null = null;
  /** What the client has been asked and has not answered. */
  readonly #requests = new Set<OpenRequest>();
  readonly #ended = new Set<string>();
  readonly #replay = new Replay();
  #connection: SessionSocket | null = null;
  #client: SessionSocket | null = null;
  #sentSeq = 0;
  #isFlowing = false;

  constructor(id: string, accountId: AccountId) {
    this.id = id;
    this.accountId = accountId;
  }

  get connection(): SessionSocket | null {
    return this.#connection;
  }

  /** The socket that came last, also when it has gone: prompts run by its credential. */
  get client(): SessionSocket | null {
    return this.#client;
  }

  /** From now on this socket is the session's; one before it is closed. Nothing is sent before `flow`. */
  attach(connection: SessionSocket, lastSeq: number, life = this.life): SessionAnswer {
    this.#connection?.close("taken_over");
    this.#connection = connection;
    this.#client = connection;
    this.#isFlowing = false;
    this.idleSince = null;
    this.#awaySince = null;
    // A number from another life means nothing here.
    const isOurs = life === this.life && lastSeq <= this.#replay.lastSeq;
    if (isOurs) this.#replay.arrived(lastSeq);
    if (isOurs) this.#askLostAgain(lastSeq);
    this.#sentSeq = this.#replay.firstSeq - 1;
    const isNew = this.#replay.lastSeq === 0 && this.running.size === 0;
    return {
      accountId: this.accountId,
      resumed: isOurs && !(isNew && lastSeq === 0),
      life: this.life,
      nextSeq: this.#sentSeq + 1,
      lastSeq: this.#replay.lastSeq,
      running: [...this.running.keys()],
    };
  }

  detach(connection: SessionSocket): void {
    if (this.#connection !== connection) return;
    this.#connection = null;
    this.#awaySince = performance.now();
    this.rest();
  }

  /** Notes that nobody is there and nothing runs, if that is so. */
  rest(): void {
    if (this.#connection === null && this.running.size === 0) this.idleSince = performance.now();
  }

  arrived(seq: number): void {
    this.#replay.arrived(Math.min(seq, this.#sentSeq));
  }

  /** Numbered, kept, and sent as soon as the client reads. Returns the number. */
  send(data: ServerAction): number {
    this.#replay.add((seq) => JSON.stringify({ type: "action", seq, data }));
    this.#flowOn();
    return this.#replay.lastSeq;
  }

  /** Begins to send what the client has not seen. */
  flow(): void {
    this.#isFlowing = true;
    this.#flowOn();
  }

  /** Asks the client to do something, and waits. Asked once: a resume brings the request only to a client that has not
   *  got it. */
  ask(
    userInputId: string,
    request: ClientRequest,
    { timeoutMilliseconds, signal }: { timeoutMilliseconds: number; signal: AbortSignal },
  ): Promise<Answered> {
    const requestId = (request.kind === "tool" ? request.requestId : undefined) ?? `call_${randomUUID()}`;
    const action = actionOf(request, { requestId, userInputId, timeout: timeoutMilliseconds });
    const type = request.kind === "files" ? "read-files-response" : "tool-call-response";
    const answered = this.asked.ask(requestId, type, { timeoutMilliseconds, signal });
    const open = { action, seq: this.send(action) };
    this.#requests.add(open);
    void answered.then(() => this.#requests.delete(open));
    return answered;
  }

  /** Lets go of what runs once the client has been away since then and all of it waits for its answers: it would be told
   *  that none came, and go on at its owner's cost with nobody there. Whoever comes back for it goes on with it. */
  leaveWaiting(before: number): void {
    if (this.#awaySince === null || this.#awaySince > before) return;
    const waiting = new Set([...this.#requests].map(({ action }) => action.userInputId));
    const prompts = [...this.running];
    if (!prompts.every(([userInputId]) => waiting.has(userInputId))) return;
    for (const [, { abort }] of prompts) abort.abort(SUSPEND);
  }

  /** So much may have been said since that a request was given up before the client got it. */
  #askLostAgain(lastSeq: number): void {
    for (const open of this.#requests)
      if (open.seq > lastSeq && open.seq < this.#replay.firstSeq) open.seq = this.send(open.action);
  }

  hasRun(userInputId: string): boolean {
    return this.running.has(userInputId) || this.#ended.has(userInputId);
  }

  /** It runs here no more, and has not ended: it may come back. Its client has gone to where it goes on, and hears there
   *  again of what it has not had: here nothing of it counts any more. */
  release(userInputId: string): void {
    this.running.delete(userInputId);
    this.#replay.arrived(this.#replay.lastSeq);
    this.rest();
  }

  begin(userInputId: string, prompt: RunningPrompt): void {
    this.running.set(userInputId, prompt);
    this.idleSince = null;
  }

  end(userInputId: string): void {
    this.running.delete(userInputId);
    this.#ended.add(userInputId);
    if (this.#ended.size > REMEMBERED_PROMPTS) {
      const [oldest] = this.#ended;
      this.#ended.delete(oldest!);
    }
    this.rest();
  }

  /** As its client cancels one: what was produced is billed. */
  cancelAll(): void {
    for (const { abort } of this.running.values()) abort.abort();
  }

  get isFull(): boolean {
    return this.running.size >= SESSION_LIMITS.prompts;
  }

  /** Sends what is kept while the client reads; goes on when it has. What a client leaves unread is kept here, within
   *  bounds, and not in the socket. */
  readonly #flowOn = (): void => {
    const connection = this.#connection;
    if (connection === null || !this.#isFlowing) return;
    if (this.#replay.firstSeq > this.#sentSeq + 1) return connection.close("slow");
    while (connection.hasRoom && this.#sentSeq < this.#replay.lastSeq) {
      this.#sentSeq += 1;
      connection.send(this.#replay.get(this.#sentSeq)!, this.#flowOn);
    }
  };
}

function actionOf(
  request: ClientRequest,
  facts: { requestId: string; userInputId: string; timeout: number },
): OpenRequest["action"] {
  if (request.kind === "files") return { type: "read-files", filePaths: [...request.filePaths], ...facts };
  const input = request.input as Extract<ServerAction, { type: "tool-call-request" }>["input"];
  const again = request.isAgain === true ? ({ again: true } as const) : {};
  return { type: "tool-call-request", toolName: request.toolName, input, ...facts, ...again };
}
