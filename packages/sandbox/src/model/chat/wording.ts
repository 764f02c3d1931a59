import type { Usage } from "../usage.ts";
import type { Dialect } from "../wire/interleave.ts";
import { type Choice, type Piece, piecesOf } from "./choice.ts";

export interface Envelope {
  id: string;
  created: number;
  model: string;
}

const fingerprint = "fp_bursarsandbox";

/** Chunks of `chat.completion.chunk`, with the fields in OpenAI's order. */
export function chatDialect(envelope: Envelope): Dialect {
  const head = JSON.stringify({
    id: envelope.id,
    object: "chat.completion.chunk",
    created: envelope.created,
    model: envelope.model,
    service_tier: "default",
    system_fingerprint: fingerprint,
  });
  return {
    head: `${head.slice(0, -1)},"choices":`,
    open: (index, choice) => chunkChoice(index, openingDelta(choice)),
    token: (index, piece) => chunkChoice(index, deltaOf(piece, envelope, index)),
    close: (index, finishReason) => chunkChoice(index, "{}", JSON.stringify(finishReason)),
  };
}

/** Written by hand and not by JSON.stringify: this is the sandbox's hottest line. */
function chunkChoice(index: number, delta: string, finishReason = "null"): string {
  return `{"index":${index},"delta":${delta},"logprobs":null,"finish_reason":${finishReason}}`;
}

/** Content is null, not empty, when an answer is nothing but tool calls. */
function openingDelta(choice: Choice): string {
  const content = choice.draft.contentTokens.length === 0 && choice.tokenCount > 0 ? "null" : '""';
  return `{"role":"assistant","content":${content},"refusal":null}`;
}

function deltaOf(piece: Piece, envelope: Envelope, index: number): string {
  if (piece.kind === "content") return `{"content":${JSON.stringify(piece.text)}}`;
  if (piece.kind === "arguments") {
    return `{"tool_calls":[{"index":${piece.call},"function":{"arguments":${JSON.stringify(piece.text)}}}]}`;
  }
  const id = toolCallId(envelope, index, piece.call);
  const called = { index: piece.call, id, type: "function", function: { name: piece.name, arguments: "" } };
  return JSON.stringify({ tool_calls: [called] });
}

/** The body of an answer that does not stream. `usage` absent: the fault `no_usage`. */
export function chatBody(envelope: Envelope, choices: readonly Choice[], usage: Usage | undefined) {
  return {
    id: envelope.id,
    object: "chat.completion",
    created: envelope.created,
    model: envelope.model,
    choices: choices.map((choice, index) => ({
      index,
      message: messageOf(choice, envelope, index),
      logprobs: null,
      finish_reason: choice.finishReason,
    })),
    ...(usage && { usage }),
    service_tier: "default",
    system_fingerprint: fingerprint,
  };
}

function messageOf(choice: Choice, envelope: Envelope, index: number) {
  const toolCalls: { id: string; type: "function"; function: { name: string; arguments: string } }[] = [];
  let content = "";
  for (const piece of piecesOf(choice)) {
    if (piece.kind === "content") content += piece.text;
    else if (piece.kind === "call") {
      const id = toolCallId(envelope, index, piece.call);
      toolCalls.push({ id, type: "function", function: { name: piece.name, arguments: "" } });
    } else {
      const call = toolCalls[piece.call];
      if (call) call.function.arguments += piece.text;
    }
  }
  const message = { role: "assistant", content: content === "" && toolCalls.length > 0 ? null : content };
  return {
    ...message,
    ...(toolCalls.length > 0 && { tool_calls: toolCalls }),
    refusal: null,
    annotations: [],
  };
}

function toolCallId(envelope: Envelope, index: number, call: number): string {
  return `call_${envelope.id.slice(-18)}${index}x${call}`;
}
