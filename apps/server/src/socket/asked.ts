import type { ClientAction } from "@bursar/contract/socket/client-actions";
import type { SocketError } from "@bursar/contract/socket/errors";
import { SESSION_LIMITS } from "@bursar/contract/socket/limits";

export type AnswerAction = Extract<ClientAction, { type: "tool-call-response" | "read-files-response" }>;

/** What came of a request to the client. */
export type Answered =
  | { readonly kind: "answered"; readonly output: unknown }
  /** The client says that it could not do it. */
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "timed_out" }
  | { readonly kind: "cancelled" };

interface Pending {
  readonly type: AnswerAction["type"];
  readonly resolve: (answered: Answered) => void;
  pieces: string[];
  bytes: number;
}

/** How many answered requests are remembered, so that an answer that is sent again after a reconnect is no error. */
const REMEMBERED = 256;

/** The requests that a session's client has been asked and has not answered. Only this session's answers count. */
export class Asked {
  readonly #pending = new Map<string, Pending>();
  readonly #answered = new Set<string>();

  /** Settles with the answer, after the time, or when the signal aborts; never rejects. */
  ask(
    requestId: string,
    type: AnswerAction["type"],
    { timeoutMilliseconds, signal }: { timeoutMilliseconds: number; signal: AbortSignal },
  ): Promise<Answered> {
    return new Promise((resolve) => {
      const finish = (answered: Answered) => {
        clearTimeout(timer);
        signal.removeEventListener("abort", cancel);
        this.#pending.delete(requestId);
        this.#remember(requestId);
        resolve(answered);
      };
      const cancel = () => finish({ kind: "cancelled" });
      const timer = setTimeout(() => finish({ kind: "timed_out" }), timeoutMilliseconds);
      this.#pending.set(requestId, { type, resolve: finish, pieces: [], bytes: 0 });
      signal.addEventListener("abort", cancel);
      if (signal.aborted) cancel();
    });
  }

  /** null: taken. */
  take(action: AnswerAction): SocketError | null {
    const pending = this.#pending.get(action.requestId);
    if (pending === undefined && this.#answered.has(action.requestId)) return null;
    if (pending === undefined || pending.type !== action.type) return unknownRequest(action.requestId);
    if (action.error !== undefined) pending.resolve({ kind: "failed", message: action.error });
    else if (action.piece === undefined) pending.resolve({ kind: "answered", output: action.output });
    else return takePiece(pending, action.piece, action.index ?? 0, action.more === true);
    return null;
  }

  #remember(requestId: string): void {
    this.#answered.add(requestId);
    if (this.#answered.size <= REMEMBERED) return;
    for (const oldest of this.#answered) {
      this.#answered.delete(oldest);
      break;
    }
  }
}

function takePiece(pending: Pending, piece: string, index: number, hasMore: boolean): SocketError | null {
  // Sent again, because its acknowledgement was lost.
  if (index < pending.pieces.length) return null;
  if (index > pending.pieces.length) {
    const message = `must be ${pending.pieces.length}: pieces come in order`;
    return { error: "invalid_request", message, param: "data.index" };
  }
  pending.bytes += piece.length;
  if (pending.bytes > SESSION_LIMITS.answerBytes) {
    const message = `An answer must be at most ${SESSION_LIMITS.answerBytes} bytes`;
    pending.resolve({ kind: "failed", message });
    return { error: "answer_too_large", message, param: "data.piece" };
  }
  pending.pieces.push(piece);
  if (hasMore) return null;
  try {
    pending.resolve({ kind: "answered", output: JSON.parse(pending.pieces.join("")) as unknown });
    return null;
  } catch {
    const message = "The pieces of the answer are not JSON together";
    pending.resolve({ kind: "failed", message });
    return { error: "invalid_json", message, param: "data.piece" };
  }
}

function unknownRequest(requestId: string): SocketError {
  const message = `This session was not asked ${requestId}, or its time is over`;
  return { error: "request_unknown", message, param: "data.requestId" };
}
