import { isObject } from "../ask/fields.ts";
import { readUsage, type Usage } from "../bill/usage.ts";
import { outputOf } from "./output.ts";
import type { SseEvent } from "./sse.ts";

/** What the chunks of one answer have in common; needed to write a chunk of our own. */
export interface ChunkHead {
  readonly id: unknown;
  readonly object: unknown;
  readonly created: unknown;
  readonly model: unknown;
}

/** New output of one choice. */
export interface Output {
  readonly index: number;
  readonly text: string;
}

export interface Finish {
  readonly index: number;
  readonly reason: string;
}

/** One event of a model's stream, read. */
export type ModelEvent =
  | {
      readonly kind: "chunk";
      readonly data: string;
      readonly outputs: readonly Output[];
      readonly finishes: readonly Finish[];
      /** Some providers count along in every chunk, some only in the last one. */
      readonly usage: Usage | null;
      readonly head: ChunkHead;
    }
  /** OpenAI's last chunk, with no choices in it; others leave out even the list. */
  | { readonly kind: "usage"; readonly data: string; readonly usage: Usage | null; readonly head: ChunkHead }
  | { readonly kind: "comment" }
  | { readonly kind: "done" }
  | { readonly kind: "error"; readonly message: string }
  | { readonly kind: "malformed" };

/** Parsing costs about 2 µs a chunk. It is what tells garbage from an answer before it reaches a client. */
export function readEvent(event: SseEvent): ModelEvent {
  if (event.data === null) return { kind: "comment" };
  if (event.data === "[DONE]") return { kind: "done" };
  const chunk = parse(event.data);
  if (chunk === null) return { kind: "malformed" };
  if (chunk["error"] !== undefined && chunk["error"] !== null) return errorEvent(chunk["error"]);
  const usage = readUsage(chunk["usage"]);
  const choices = chunk["choices"];
  const head = chunk as unknown as ChunkHead;
  if (isObject(chunk["usage"]) && (!Array.isArray(choices) || choices.length === 0))
    return { kind: "usage", data: event.data, usage, head };
  if (!Array.isArray(choices)) return { kind: "malformed" };
  return { kind: "chunk", data: event.data, usage, head, ...contentOf(choices) };
}

function parse(data: string): Readonly<Record<string, unknown>> | null {
  try {
    const parsed: unknown = JSON.parse(data);
    return isObject(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

function contentOf(choices: readonly unknown[]): { outputs: readonly Output[]; finishes: readonly Finish[] } {
  const outputs: Output[] = [];
  const finishes: Finish[] = [];
  for (const choice of choices) {
    if (!isObject(choice)) continue;
    const index = typeof choice["index"] === "number" ? choice["index"] : 0;
    const text = outputOf(choice);
    if (text !== "") outputs.push({ index, text });
    const reason = choice["finish_reason"];
    if (typeof reason === "string") finishes.push({ index, reason });
  }
  return { outputs, finishes };
}

function errorEvent(error: unknown): ModelEvent {
  return { kind: "error", message: messageOf(error) };
}

export function messageOf(error: unknown): string {
  const message = isObject(error) ? error["message"] : error;
  return typeof message === "string" ? message : "no reason given";
}
