import type { ChatEvent } from "./event.ts";
import type { Piece } from "./wire.ts";

export interface Assembled {
  /** Something was lost before this piece. */
  readonly hasMissed: boolean;
  /** null as long as it is not whole. */
  readonly event: ChatEvent | null;
}

/** Puts the pieces of events together again. They come in the order they were sent in, if they come. */
export interface Assembly {
  take(piece: Piece): Assembled;
  forget(sessionId: string): void;
}

interface Progress {
  readonly number: number;
  readonly texts: string[];
  /** Whole, or given up. */
  isOver: boolean;
}

export function openAssembly(): Assembly {
  /** By chat, and by the process that tells of it. */
  const chats = new Map<string, Map<string, Progress>>();
  return {
    take: (piece) => {
      const tellers = chats.get(piece.session) ?? new Map<string, Progress>();
      chats.set(piece.session, tellers);
      const { progress, hasMissed } = follow(tellers.get(piece.from), piece);
      tellers.set(piece.from, progress);
      return { hasMissed, event: progress.isOver ? null : ended(progress, piece) };
    },
    forget: (sessionId) => void chats.delete(sessionId),
  };
}

/** What this piece continues or begins. Whoever begins to watch hears from the middle on, and has missed nothing. */
function follow(
  known: Progress | undefined,
  { number, piece, text }: Piece,
): { progress: Progress; hasMissed: boolean } {
  if (known !== undefined && !known.isOver && known.number === number && known.texts.length === piece) {
    known.texts.push(text);
    return { progress: known, hasMissed: false };
  }
  if (piece === 0) {
    const isNext = known === undefined || (known.isOver && known.number === number - 1);
    return { progress: { number, texts: [text], isOver: false }, hasMissed: !isNext };
  }
  const isToldOf = known === undefined || (known.number === number && known.isOver);
  return { progress: { number, texts: [], isOver: true }, hasMissed: !isToldOf };
}

function ended(progress: Progress, { pieces }: Piece): ChatEvent | null {
  if (progress.texts.length < pieces) return null;
  progress.isOver = true;
  const whole = progress.texts.splice(0).join("");
  return JSON.parse(Buffer.from(whole, "base64").toString("utf8")) as ChatEvent;
}
