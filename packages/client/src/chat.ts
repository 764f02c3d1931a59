import { errorFrom, jsonOrNull, unrecognised } from "./errors.ts";
import type { Patience } from "./patience.ts";
import { unreachable } from "./silence.ts";
import { readEvents } from "./sse.ts";

export interface ChatMessage {
  readonly role: "system" | "user" | "assistant" | "developer" | "tool";
  readonly content: string;
}

/** OpenAI's chat request; its other fields (`temperature`, `max_completion_tokens`, …) pass through as they are. */
export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly [field: string]: unknown;
}

export interface ChatUsage {
  /** The cached ones included. */
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
}

export interface ChatEnd {
  readonly kind: "end";
  /** `stop`, `length`, … and `insufficient_credits` when the credits ended before the answer did. */
  readonly finishReason: string | null;
  readonly usage: ChatUsage | null;
  /** Credits charged and left; null when the server did not say: the receipt of `requestId` does. */
  readonly cost: string | null;
  readonly available: string | null;
  readonly requestId: string | null;
}

export type ChatPart = { readonly kind: "text"; readonly text: string } | ChatEnd;

interface Chunk {
  readonly choices?: readonly {
    readonly delta?: { readonly content?: string | null };
    readonly finish_reason?: string | null;
  }[];
  readonly usage?: {
    readonly prompt_tokens: number;
    readonly completion_tokens: number;
    readonly prompt_tokens_details?: { readonly cached_tokens?: number };
  } | null;
  /** The gateway's own facts, in the last chunk: `remaining` is missing while the settlement is still to come, and
   *  `reason` tells why the stream was ended before its end. */
  readonly bursar?: { readonly cost: string; readonly remaining?: string; readonly reason?: string };
  readonly error?: unknown;
}

/** An error inside a stream comes after the 200: it counts as the status it would have had. */
const MIDWAY_STATUS = 502;

type Ending = { -readonly [Field in keyof ChatEnd]: ChatEnd[Field] };

/** Reads an answer as it streams; always ends with one `end`, unless it throws: `BursarError` when the server reports
 *  an error midway, `BursarUnreachable` when the stream breaks off. Leaving the loop early hangs up. */
export async function* readChat(response: Response, patience: Patience): AsyncGenerator<ChatPart> {
  const ending: Ending = startOf(response);
  let isComplete = false;
  try {
    for await (const { data } of readEvents(heard(response, patience))) {
      isComplete = data === "[DONE]";
      if (isComplete) break;
      const chunk = chunkIn(data, response);
      learn(ending, chunk);
      const text = chunk.choices?.[0]?.delta?.content ?? "";
      if (text !== "") yield { kind: "text", text };
    }
  } finally {
    patience.end();
  }
  if (!isComplete) throw unreachable(response.url, new Error("the stream ended without [DONE]"));
  yield ending;
}

function startOf(response: Response): Ending {
  return {
    kind: "end",
    finishReason: null,
    usage: null,
    cost: null,
    available: null,
    requestId: response.headers.get("x-request-id"),
  };
}

function learn(ending: Ending, chunk: Chunk): void {
  ending.finishReason = chunk.bursar?.reason ?? chunk.choices?.[0]?.finish_reason ?? ending.finishReason;
  ending.cost = chunk.bursar?.cost ?? ending.cost;
  ending.available = chunk.bursar?.remaining ?? ending.available;
  if (chunk.usage)
    ending.usage = {
      inputTokens: chunk.usage.prompt_tokens,
      cachedInputTokens: chunk.usage.prompt_tokens_details?.cached_tokens ?? 0,
      outputTokens: chunk.usage.completion_tokens,
    };
}

/** The chunks of an answer, each of which renews the patience. Throws: `BursarUnreachable` where it breaks off. */
export async function* heard(response: Response, patience: Patience): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of response.body ?? []) {
      patience.heard();
      yield chunk;
    }
  } catch (error) {
    patience.throwIfCallerGaveUp();
    throw unreachable(response.url, error);
  }
}

function chunkIn(data: string, response: Response): Chunk {
  const chunk = jsonOrNull(data);
  if (!isChunk(chunk)) throw unrecognised(response.status, data, response.headers, response.url);
  if (chunk.error !== undefined) throw errorFrom(MIDWAY_STATUS, data, response.headers, response.url);
  return chunk;
}

/** OpenAI's shape is taken at its word: every field of it is optional here. */
function isChunk(value: unknown): value is Chunk {
  return typeof value === "object" && value !== null;
}
