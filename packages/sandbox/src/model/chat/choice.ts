import { tokenize } from "../tokens.ts";
import type { Draft } from "./draft.ts";

/** One token of an answer. A tool call's head (id and name) counts as a token like each piece of its arguments. */
export type Piece =
  | { kind: "content"; text: string }
  | { kind: "call"; call: number; name: string }
  | { kind: "arguments"; call: number; text: string };

export interface Choice {
  pieces: Piece[];
  finishReason: string;
}

export interface Limits {
  maximumTokens: number;
  stop: readonly string[];
  finishReason?: string | undefined;
}

/** Applies stop words, then the token limit; a limit that is met exactly does not cut anything. */
export function limitDraft(draft: Draft, limits: Limits): Choice {
  const content = cutAtStop(draft.contentTokens, limits.stop);
  const pieces: Piece[] = content.map((text) => ({ kind: "content", text }));
  for (const [call, { name, arguments: json }] of draft.toolCalls.entries()) {
    pieces.push({ kind: "call", call, name });
    for (const text of tokenize(json)) pieces.push({ kind: "arguments", call, text });
  }
  const natural = draft.toolCalls.length > 0 ? "tool_calls" : "stop";
  const tooLong = pieces.length > limits.maximumTokens;
  return {
    pieces: tooLong ? pieces.slice(0, limits.maximumTokens) : pieces,
    finishReason: limits.finishReason ?? (tooLong ? "length" : natural),
  };
}

/** The text before the first stop word, in tokens again; the stop word itself is neither sent nor counted. */
function cutAtStop(tokens: string[], stop: readonly string[]): string[] {
  if (stop.length === 0) return tokens;
  const text = tokens.join("");
  const found = stop.map((word) => (word === "" ? -1 : text.indexOf(word))).filter((at) => at >= 0);
  return found.length === 0 ? tokens : tokenize(text.slice(0, Math.min(...found)));
}
