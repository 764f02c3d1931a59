import { MESSAGE_BYTES } from "@bursar/engine/change/fan-out";
import type { ChatEvent } from "./event.ts";

/** What processes tell one another about chats that are watched. `who` asks who watches, `watching` and `left` answer
 *  it; a `piece` is a part of one event, which is too long for one message. */
export type ObserverMessage =
  | { readonly from: string; readonly kind: "who" }
  | { readonly from: string; readonly kind: "watching" | "left"; readonly sessions: readonly string[] }
  | Piece;

export interface Piece {
  readonly from: string;
  readonly kind: "piece";
  readonly session: string;
  /** Counts the events of this chat in this process: a gap is something lost. */
  readonly number: number;
  /** From 0, and how many there are. */
  readonly piece: number;
  readonly pieces: number;
  /** A part of the event's JSON in base64, whose length is its bytes. */
  readonly text: string;
}

/** Other things are told on the same channel, and begin otherwise. */
const WORD = "chat ";
/** For what stands around a piece: names and numbers. */
const HEAD_BYTES = 400;
const PIECE_BYTES = MESSAGE_BYTES - HEAD_BYTES;
/** About a megabyte. What is longer is not told, and counts as missed. */
export const MOST_PIECES = 200;

export function toText(message: ObserverMessage): string {
  return WORD + JSON.stringify(message);
}

/** null for what is none, or from another version. */
export function readObserverMessage(text: string): ObserverMessage | null {
  if (!text.startsWith(WORD)) return null;
  try {
    const value = JSON.parse(text.slice(WORD.length)) as Partial<ObserverMessage> | null;
    if (value === null || typeof value.from !== "string") return null;
    if (value.kind === "who" || (value.kind === "piece" && isPiece(value))) return value as ObserverMessage;
    const isList = (value.kind === "watching" || value.kind === "left") && Array.isArray(value.sessions);
    return isList ? (value as ObserverMessage) : null;
  } catch {
    return null;
  }
}

function isPiece({ session, number, piece, pieces, text }: Partial<Piece>): boolean {
  const numbers = [number, piece, pieces].every((value) => Number.isInteger(value));
  return numbers && typeof session === "string" && typeof text === "string" && pieces! <= MOST_PIECES;
}

/** These chats in as many messages as they need. */
export function* sessionMessages(
  from: string,
  kind: "watching" | "left",
  sessionIds: Iterable<string>,
): Generator<string> {
  let sessions: string[] = [];
  let bytes = 0;
  for (const sessionId of sessionIds) {
    const more = Buffer.byteLength(JSON.stringify(sessionId)) + 1;
    if (bytes + more > PIECE_BYTES) {
      yield toText({ from, kind, sessions });
      [sessions, bytes] = [[], 0];
    }
    sessions.push(sessionId);
    bytes += more;
  }
  if (sessions.length > 0) yield toText({ from, kind, sessions });
}

/** One event in as many messages as it needs; none when it is too long. */
export function* piecesOf(
  from: string,
  session: string,
  { number, event }: { readonly number: number; readonly event: ChatEvent },
): Generator<string> {
  const whole = Buffer.from(JSON.stringify(event)).toString("base64");
  const pieces = Math.ceil(whole.length / PIECE_BYTES);
  if (pieces > MOST_PIECES) return;
  for (let piece = 0; piece < pieces; piece++) {
    const text = whole.slice(piece * PIECE_BYTES, (piece + 1) * PIECE_BYTES);
    yield toText({ from, kind: "piece", session, number, piece, pieces, text });
  }
}
