import type { Choice, Piece } from "../chat/choice.ts";
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
  const longest = Math.max(...choices.map((choice) => choice.pieces.length));
  for (let at = 0; at < longest; at += 1) {
    for (const [index, choice] of choices.entries()) {
      const piece = choice.pieces[at];
      if (piece) yield { kind: "token", text: chunk(dialect.token(index, piece)) };
    }
  }
  for (const [index, choice] of choices.entries()) {
    yield { kind: "close", text: chunk(dialect.close(index, choice.finishReason)) };
  }
  if (end.usage && end.sendsUsage) {
    yield { kind: "close", text: sse(`${dialect.head}[],"usage":${JSON.stringify(end.usage)}}`) };
  }
  if (end.sendsDone) yield { kind: "close", text: sse("[DONE]") };
}
