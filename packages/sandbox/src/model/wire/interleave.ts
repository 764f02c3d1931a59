import { type Choice, type Piece, piecesOf } from "../chat/choice.ts";
import type { Usage } from "../usage.ts";
import { type Frame, sse } from "./frame.ts";

/** What distinguishes the chunks of chat from those of the older completions. Each function gives the JSON of
 *  one entry of `choices`. */
export interface Dialect {
  /** Everything of a chunk up to and including `"choices":`. */
  head: string;
  open?: (index: number, choice: Choice) => string;
  token: (index: number, piece: Piece) => string;
  close: (index: number, finishReason: string) => string;
}

export interface StreamEnd {
  /** Present when the caller asked for usage: then every other chunk says `"usage":null`. */
  usage?: Usage | undefined;
  sendsUsage: boolean;
  sendsDone: boolean;
}

/** The chunks of a stream in OpenAI's order; several choices take turns, token by token. Lazy, so that an aborted
 *  stream costs nothing more. */
export function* interleave(dialect: Dialect, choices: readonly Choice[], end: StreamEnd): Generator<Frame> {
  const tail = end.usage ? ',"usage":null}\n\n' : "}\n\n";
  const chunk = (choice: string) => `data: ${dialect.head}[${choice}]${tail}`;
  if (dialect.open) {
    for (const [index, choice] of choices.entries()) {
      yield { kind: "open", text: chunk(dialect.open(index, choice)) };
    }
  }
  for (const { index, piece } of takeTurns(choices)) {
    yield { kind: "token", text: chunk(dialect.token(index, piece)) };
  }
  for (const [index, choice] of choices.entries()) {
    yield { kind: "close", text: chunk(dialect.close(index, choice.finishReason)) };
  }
  if (end.usage && end.sendsUsage) {
    yield { kind: "close", text: sse(`${dialect.head}[],"usage":${JSON.stringify(end.usage)}}`) };
  }
  if (end.sendsDone) yield { kind: "close", text: sse("[DONE]") };
}

function* takeTurns(choices: readonly Choice[]): Generator<{ index: number; piece: Piece }> {
  let open = choices.map((choice, index) => ({ index, pieces: piecesOf(choice) }));
  while (open.length > 0) {
    const finished = new Set<object>();
    for (const turn of open) {
      const { value: piece, done } = turn.pieces.next();
      if (done) finished.add(turn);
      else yield { index: turn.index, piece };
    }
    if (finished.size > 0) open = open.filter((turn) => !finished.has(turn));
  }
}
