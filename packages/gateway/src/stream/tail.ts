import { formatCredits } from "@bursar/contract/money";
import type { Ask } from "../ask/ask.ts";
import type { Budget } from "../bill/budget.ts";
import type { Bill, Settlement } from "../bill/settlements.ts";
import { errorBody, failureFacts, SHUTTING_DOWN } from "../http/answers.ts";
import type { Ending } from "./ending.ts";
import type { Passed } from "./passed.ts";
import { DONE, sse } from "./sse.ts";

interface Tail {
  readonly ask: Ask;
  readonly budget: Budget;
  readonly passed: Passed;
  readonly ending: Ending;
  /** null where there was nothing to charge. */
  readonly bill: Bill | null;
  readonly settlement: Settlement | null;
}

/** What a client hears after the last token: how it ended and what it cost. A stream that broke ends with an error
 *  event, which OpenAI's clients throw, so that nobody takes the part for the whole. One that ran out of credits ends
 *  in good order, with the reason. */
export function tailOf(tail: Tail): string {
  const { ending, ask } = tail;
  switch (ending.kind) {
    case "client_gone":
      return "";
    case "upstream":
      return sse(withAccount(errorBody(failureFacts(ending.failure), requestIdOf(tail)), tail));
    case "shut_down":
      return sse(withAccount(errorBody(SHUTTING_DOWN, requestIdOf(tail)), tail));
    case "credits":
      return sse(JSON.stringify(stopChunk(tail))) + sse(usageChunk(tail)) + DONE;
    case "complete":
      return ask.wantsUsage && tail.bill !== null ? sse(usageChunk(tail)) + DONE : DONE;
  }
}

function requestIdOf({ budget }: Tail): string {
  return budget.hold.requestId;
}

function headOf({ passed: { head }, ask, budget }: Tail) {
  const isChat = ask.path === "/chat/completions";
  return {
    id: head?.id ?? `chatcmpl-${budget.hold.requestId}`,
    object: head?.object ?? (isChat ? "chat.completion.chunk" : "text_completion"),
    created: head?.created ?? 0,
    model: head?.model ?? ask.model,
  };
}

/** Cut off, as by a token limit: clients know what that means. Choices that had ended by themselves stay as they are. */
function stopChunk(tail: Tail) {
  const { ask, passed } = tail;
  const content = ask.path === "/chat/completions" ? { delta: {} } : { text: "" };
  const choices = Array.from({ length: ask.choices }, (_, index) => {
    return { index, ...content, logprobs: null, finish_reason: "length" };
  }).filter(({ index }) => (passed.finishes.get(index) ?? "length") === "length");
  return { ...headOf(tail), choices };
}

/** The upstream's own, where it is what was billed. */
function usageChunk(tail: Tail): string {
  const bill = tail.bill!;
  const own = bill.source === "upstream" ? tail.passed.usageData : null;
  const chunk = own ?? JSON.stringify({ ...headOf(tail), choices: [], usage: usageBody(bill) });
  return `${chunk.slice(0, chunk.lastIndexOf("}"))},"bursar":${JSON.stringify(accountOf(tail))}}`;
}

function usageBody({ usage }: Bill) {
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedInputTokens },
    completion_tokens_details: { reasoning_tokens: usage.hiddenTokens },
  };
}

function withAccount(body: object, tail: Tail): string {
  return JSON.stringify(tail.settlement === null ? body : { ...body, bursar: accountOf(tail) });
}

function accountOf(tail: Tail) {
  const { ending, settlement } = tail;
  const reason = ending.kind === "credits" ? { reason: ending.reason, topUp: ending.topUp } : {};
  const cost = formatCredits(settlement!.cost);
  const paid =
    settlement!.kind === "settled"
      ? { cost, remaining: formatCredits(settlement!.remaining) }
      : { cost, pending: true };
  return { requestId: requestIdOf(tail), ...paid, ...reason };
}
