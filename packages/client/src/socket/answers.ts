import type { ClientAction } from "@bursar/contract/socket/client-actions";
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

type AnswerAction = Extract<ClientAction, { type: "tool-call-response" | "read-files-response" }>;

/** At most three bytes a character, so that a piece fits into a message. */
const PIECE_CHARACTERS = 16_000;
const REMEMBERED = 256;

/** Does what the server asks, each request once, and answers in as many pieces as it takes. */
export class Answers {
  readonly #handlers: ClientHandlers;
  readonly #send: (action: AnswerAction) => void;
  readonly #seen = new Set<string>();
  readonly #ended = new AbortController();

  constructor(handlers: ClientHandlers, send: (action: AnswerAction) => void) {
    this.#handlers = handlers;
    this.#send = send;
  }

  hear(request: ActionOf<"tool-call-request"> | ActionOf<"read-files">): void {
    const { requestId } = request;
    if (this.#seen.has(requestId)) return;
    this.#seen.add(requestId);
    if (this.#seen.size > REMEMBERED)
      for (const oldest of this.#seen) {
        this.#seen.delete(oldest);
        break;
      }
    void this.#answer(request);
  }

  /** Called off: nobody waits for the answers any more. */
  end(): void {
    this.#ended.abort();
  }

  async #answer(request: ActionOf<"tool-call-request"> | ActionOf<"read-files">): Promise<void> {
    const { requestId } = request;
    const type = request.type === "read-files" ? "read-files-response" : "tool-call-response";
    try {
      const output = await this.#handle(request);
      for (const piece of piecesOf(JSON.stringify(output ?? null))) this.#send({ type, requestId, ...piece });
    } catch (error) {
      const message = error instanceof Error && error.message !== "" ? error.message : String(error);
      this.#send({ type, requestId, error: message.slice(0, 2000) });
    }
  }

  async #handle(request: ActionOf<"tool-call-request"> | ActionOf<"read-files">): Promise<unknown> {
    const { onToolCall, onReadFiles } = this.#handlers;
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
