import type { ClientAction } from "@bursar/contract/socket/client-actions";
import { SESSION_LIMITS } from "@bursar/contract/socket/limits";
import { type Answer, Done } from "./done.ts";
import type { ActionOf } from "./prompts.ts";

/** What the server may ask this client to do. A handler that throws answers with the error's message. */
export interface ClientHandlers {
  readonly onToolCall?: (request: ActionOf<"tool-call-request">, signal: AbortSignal) => Promise<unknown>;
  /** The text of each file, null for one that is not there. */
  readonly onReadFiles?: (
    request: ActionOf<"read-files">,
    signal: AbortSignal,
  ) => Promise<Readonly<Record<string, string | null>>>;
}

interface AnswersOptions extends ClientHandlers {
  /** There may have been another client in this session, before this one. */
  readonly isSecond: boolean;
}

type AnswerAction = Extract<ClientAction, { type: "tool-call-response" | "read-files-response" }>;
type Request = ActionOf<"tool-call-request"> | ActionOf<"read-files">;

/** At most three bytes a character, so that a piece fits into a message. */
const PIECE_CHARACTERS = 16_000;
/** Of one answer, on their way at the same time: all of several large ones are more than may wait for the connection. */
const PIECES_AT_ONCE = 8;
const TOO_LARGE = `An answer must be at most ${SESSION_LIMITS.answerBytes} bytes`;
const UNKNOWN =
  "It is not known whether this was carried out: the client that was asked for it has ended. Look before you ask again";

/** Does what the server asks, each request once, and answers in as many pieces as it takes. A request that comes again,
 *  from the process that goes on with the prompt, is answered as it was. */
export class Answers {
  readonly #options: AnswersOptions;
  readonly #send: (action: AnswerAction) => Promise<unknown>;
  readonly #done = new Done();
  readonly #ended = new AbortController();

  /** `send`: resolves once the server has it; rejects where it does not want it. */
  constructor(options: AnswersOptions, send: (action: AnswerAction) => Promise<unknown>) {
    this.#options = options;
    this.#send = send;
  }

  hear(request: Request): void {
    const { requestId } = request;
    const isAgain = request.type === "tool-call-request" && request.again === true;
    if (this.#done.has(requestId)) {
      const before = this.#done.get(requestId);
      // One that is still at work answers when it has ended.
      if (isAgain && before !== null) void this.#tell(request, before);
      return;
    }
    this.#done.begin(requestId);
    if (isAgain && this.#options.isSecond) return this.#end(request, { error: UNKNOWN });
    void this.#answer(request);
  }

  /** Called off: nobody waits for the answers any more. */
  end(): void {
    this.#ended.abort();
  }

  async #answer(request: Request): Promise<void> {
    try {
      const text = JSON.stringify((await this.#handle(request)) ?? null);
      if (text.length > SESSION_LIMITS.answerBytes) throw new Error(TOO_LARGE);
      this.#end(request, { text });
    } catch (error) {
      const message = error instanceof Error && error.message !== "" ? error.message : String(error);
      this.#end(request, { error: message.slice(0, 2000) });
    }
  }

  #end(request: Request, answer: Answer): void {
    this.#done.end(request.requestId, answer);
    void this.#tell(request, answer);
  }

  /** Ends where the server does not want it any more. */
  async #tell({ requestId, ...request }: Request, answer: Answer): Promise<void> {
    const type = request.type === "read-files" ? "read-files-response" : "tool-call-response";
    const parts = "error" in answer ? [{ error: answer.error }] : piecesOf(answer.text);
    const onTheWay: Promise<boolean>[] = [];
    for (const part of parts) {
      if (onTheWay.length === PIECES_AT_ONCE && !(await onTheWay.shift()!)) return;
      onTheWay.push(
        this.#send({ type, requestId, ...part }).then(
          () => true,
          () => false,
        ),
      );
    }
  }

  async #handle(request: Request): Promise<unknown> {
    const { onToolCall, onReadFiles } = this.#options;
    const { signal } = this.#ended;
    if (request.type === "read-files" && onReadFiles !== undefined) return onReadFiles(request, signal);
    if (request.type === "tool-call-request" && onToolCall !== undefined) return onToolCall(request, signal);
    throw new Error("this client does nothing for the server");
  }
}

function* piecesOf(text: string): Generator<{ piece: string; index: number; more: boolean }> {
  for (let index = 0; index * PIECE_CHARACTERS < text.length; index++) {
    const end = (index + 1) * PIECE_CHARACTERS;
    yield { piece: text.slice(end - PIECE_CHARACTERS, end), index, more: end < text.length };
  }
}
