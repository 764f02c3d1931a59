import { type MicroCredits, parseCredits } from "@bursar/contract/money";
import { openSplitter } from "@bursar/gateway/stream/sse";
import type { Person } from "@bursar/identity/person";
import type { CreditCheckDeps } from "../deps.ts";
import { type ChatFailure, failureOf, MODEL_TIMEOUT } from "./failure.ts";
import type { ChatMessage } from "./store.ts";

export interface Question {
  readonly person: Person;
  readonly modelId: string;
  readonly messages: readonly Pick<ChatMessage, "role" | "content">[];
  readonly requestId: string;
  /** Aborts when the asker has left. */
  readonly signal: AbortSignal;
}

export interface Outcome {
  readonly content: string;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly credits: MicroCredits | null;
  readonly remaining: MicroCredits | null;
  /** Null for a whole answer. */
  readonly failure: ChatFailure | null;
}

const CHAT_SECONDS = 120;

/** Asks the model through the gateway, which holds, meters and bills; this only reads along. Never throws for what a
 *  model does: whatever came before the end is in the outcome. Throws LedgerUnavailable, before a model was asked. */
export async function ask(
  deps: Pick<CreditCheckDeps, "gateway" | "chatSeconds">,
  question: Question,
  onText: (text: string) => void,
): Promise<Outcome> {
  const { person, modelId, messages, requestId } = question;
  const timeout = AbortSignal.timeout((deps.chatSeconds ?? CHAT_SECONDS) * 1000);
  const response = await deps.gateway.chatCompletions({
    body: {
      model: modelId,
      stream: true,
      stream_options: { include_usage: true },
      messages: messages.map(({ role, content }) => ({ role, content })),
    },
    signal: AbortSignal.any([question.signal, timeout]),
    principal: { accountId: person.accountId, keyId: null, by: `user:${person.id}`, caps: [] },
    requestId,
  });
  if (!response.ok) {
    if (timeout.aborted) return nothing(MODEL_TIMEOUT);
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    return nothing(failureOf(error, response.headers.get("retry-after")));
  }
  return read(response, timeout, onText);
}

function nothing(failure: ChatFailure): Outcome {
  return { content: "", inputTokens: null, outputTokens: null, credits: null, remaining: null, failure };
}

interface Chunk {
  readonly choices?: readonly { readonly delta?: { readonly content?: string | null } }[];
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number } | null;
  readonly bursar?: { readonly cost: string; readonly remaining?: string; readonly reason?: string };
  readonly error?: { readonly code?: string; readonly message?: string };
}

async function read(
  response: Response,
  timeout: AbortSignal,
  onText: (text: string) => void,
): Promise<Outcome> {
  let content = "";
  let usage: Chunk["usage"] = null;
  let bill: Chunk["bursar"];
  let failure: ChatFailure | null = null;
  const take = (chunk: Chunk) => {
    const text = chunk.choices?.[0]?.delta?.content ?? "";
    if (text !== "") {
      content += text;
      onText(text);
    }
    usage = chunk.usage ?? usage;
    bill = chunk.bursar ?? bill;
    if (chunk.error !== undefined) failure = failureOf(chunk.error);
    if (chunk.bursar?.reason !== undefined) {
      failure = failureOf({ code: chunk.bursar.reason, message: "The credits ended before the answer did" });
    }
  };
  const isWhole = await eachChunk(response, take);
  if (!isWhole && failure === null) {
    failure = timeout.aborted
      ? MODEL_TIMEOUT
      : { status: 503, code: "INTERRUPTED", message: "The answer was interrupted" };
  }
  const counted = usage as Chunk["usage"];
  return {
    content,
    inputTokens: counted?.prompt_tokens ?? null,
    outputTokens: counted?.completion_tokens ?? null,
    credits: bill === undefined ? null : parseCredits(bill.cost),
    remaining: bill?.remaining === undefined ? null : parseCredits(bill.remaining),
    failure,
  };
}

/** True when the stream said that it was complete. */
async function eachChunk(response: Response, take: (chunk: Chunk) => void): Promise<boolean> {
  const splitter = openSplitter();
  let isWhole = false;
  try {
    for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
      for (const { data } of splitter.push(text)) {
        if (data === "[DONE]") isWhole = true;
        else if (data !== null) take(JSON.parse(data) as Chunk);
      }
    }
  } catch {
    // Called off: by the asker, or by the time limit.
  }
  return isWhole;
}
