import { tokenize } from "../tokens.ts";
import type { Draft } from "./draft.ts";

/** One token of an answer. A tool call's head (id and name) counts as a token like each piece of its arguments. */
export type Piece =
  | { kind: "content"; text: string }
  | { kind: "call"; call: number; name: string }
  | { kind: "arguments"; call: number; text: string };

/** A draft and how much of it is sent. */
export interface Choice {
  draft: Draft;
  tokenCount: number;
  finishReason: string;
}

export interface Limits {
  maximumTokens: number;
  stop: readonly string[];
  finishReason?: string | undefined;
}

/** Applies stop words, then the token limit; a limit that is met exactly does not cut anything. */
export function limitDraft(unlimited: Draft, limits: Limits): Choice {
  const draft = { ...unlimited, contentTokens: cutAtStop(unlimited.contentTokens, limits.stop) };
  const callTokens = draft.toolCalls.reduce((sum, call) => sum + 1 + call.argumentTokens.length, 0);
  const wanted = draft.contentTokens.length + callTokens;
  const natural = callTokens > 0 ? "tool_calls" : "stop";
  return {
    draft,
    tokenCount: Math.min(wanted, limits.maximumTokens),
    finishReason: limits.finishReason ?? (wanted > limits.maximumTokens ? "length" : natural),
  };
}

/** The pieces that are sent, one a token. Lazy: a thousand long streams must not hold them all. */
export function piecesOf(choice: Choice): IteratorObject<Piece> {
  return draftPieces(choice.draft).take(choice.tokenCount);
}

function* draftPieces(draft: Draft): Generator<Piece> {
  for (const text of draft.contentTokens) yield { kind: "content", text };
  for (const [call, { name, argumentTokens }] of draft.toolCalls.entries()) {
    yield { kind: "call", call, name };
    for (const text of argumentTokens) yield { kind: "arguments", call, text };
  }
}

export function countOutputTokens(choices: readonly Choice[]): number {
  return choices.reduce((sum, choice) => sum + choice.tokenCount, 0);
}

/** The text before the first stop word, in tokens again; the stop word itself is neither sent nor counted. */
function cutAtStop(tokens: string[], stop: readonly string[]): string[] {
  if (stop.length === 0) return tokens;
  const text = tokens.join("");
  const found = stop.map((word) => (word === "" ? -1 : text.indexOf(word))).filter((at) => at >= 0);
  return found.length === 0 ? tokens : tokenize(text.slice(0, Math.min(...found)));
}
