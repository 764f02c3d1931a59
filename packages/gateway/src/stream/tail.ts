import { formatCredits } from "@bursar/contract/money";
import type { Ask } from "../ask/ask.ts";
import type { Bill, Settlement } from "../bill/settlements.ts";
import { errorBody, failureFacts } from "../http/answers.ts";
import type { ChunkHead } from "./event.ts";
import type { Ending } from "./relay.ts";
import { DONE, sse } from "./sse.ts";

interface Tail {
  readonly ask: Ask;
  readonly ending: Exclude<Ending, { kind: "client_gone" }>;
  readonly bill: Bill;
  readonly settlement: Settlement;
  readonly head: ChunkHead | null;
  readonly requestId: string;
}

/** What a client hears after the last token: how it ended and what it cost. A stream that broke ends with an error
 *  event, which OpenAI's clients throw; one that ran out of credits ends in good order, with the reason. */
export function tailOf(tail: Tail): string {
  const { ending, ask, requestId } = tail;
  if (ending.kind === "upstream")
    return sse(JSON.stringify(errorBody(failureFacts(ending.failure), requestId)));
  if (ending.kind === "credits")
    return sse(JSON.stringify(stopChunk(tail))) + sse(JSON.stringify(usageChunk(tail))) + DONE;
  return ask.wantsUsage ? sse(JSON.stringify(usageChunk(tail))) + DONE : DONE;
}

function headOf({ head, ask, requestId }: Tail) {
  const isChat = ask.path === "/chat/completions";
  return {
    id: head?.id ?? `chatcmpl-${requestId}`,
    object: head?.object ?? (isChat ? "chat.completion.chunk" : "text_completion"),
    created: head?.created ?? 0,
    model: head?.model ?? ask.model,
  };
}

/** Cut off, as by a token limit: clients know what that means. */
function stopChunk(tail: Tail) {
  const isChat = tail.ask.path === "/chat/completions";
  const content = isChat ? { delta: {} } : { text: "" };
  const choices = Array.from({ length: tail.ask.choices }, (_, index) => {
    return { index, ...content, logprobs: null, finish_reason: "length" };
  });
  return { ...headOf(tail), choices };
}

function usageChunk(tail: Tail) {
  const { usage } = tail.bill;
  return {
    ...headOf(tail),
    choices: [],
    usage: {
      prompt_tokens: usage.inputTokens,
      completion_tokens: usage.outputTokens,
      total_tokens: usage.inputTokens + usage.outputTokens,
      prompt_tokens_details: { cached_tokens: usage.cachedInputTokens },
      completion_tokens_details: { reasoning_tokens: usage.hiddenTokens },
    },
    bursar: bursarFacts(tail),
  };
}

function bursarFacts({ ending, settlement, requestId }: Tail) {
  const cost = formatCredits(settlement.cost);
  const paid =
    settlement.kind === "settled"
      ? { cost, remaining: formatCredits(settlement.remaining) }
      : { cost, pending: true };
  if (ending.kind !== "credits") return { requestId, ...paid };
  return { requestId, ...paid, reason: ending.reason };
}
