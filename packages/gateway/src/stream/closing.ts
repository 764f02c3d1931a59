import { formatCredits } from "@bursar/contract/money";
import type { Settlement } from "../bill/settlements.ts";
import type { Usage } from "../bill/usage.ts";
import { errorOf, type Problem } from "../http/problem.ts";
import type { ChunkHead } from "./event.ts";
import { DONE, sse } from "./sse.ts";

/** What a stream says about money at its end, as the field `bursar`. */
export interface Account {
  readonly requestId: string;
  readonly cost: string;
  /** Absent while the settlement is pending. */
  readonly remaining?: string;
  readonly pending?: true;
  /** Why the answer is shorter than the model would have made it. */
  readonly reason?: string;
}

export function accountOf(requestId: string, settlement: Settlement, problem: Problem | null): Account {
  const cost = formatCredits(settlement.cost);
  const reason = problem === null ? {} : { reason: problem.code, message: problem.message, ...problem.facts };
  if (settlement.kind === "pending") return { requestId, cost, pending: true, ...reason };
  return { requestId, cost, remaining: formatCredits(settlement.remaining), ...reason };
}

/** The end of a complete answer: the upstream's own usage chunk, or ours where it sent none, with the cost in it. */
export function completeClosing(usageData: string | null, ours: () => string, account: Account | null): string {
  if (account === null) return DONE;
  const data = usageData ?? ours();
  return sse(`${data.slice(0, data.lastIndexOf("}"))},"bursar":${JSON.stringify(account)}}`) + DONE;
}

/** The end of an answer that was stopped: every choice gets its finish_reason, and usage says why. Whoever asked for
 *  usage gets it in a chunk of its own, as from OpenAI; others, who may not expect a chunk without choices, in the
 *  chunk that finishes. */
export function stoppedClosing(closing: {
  readonly head: ChunkHead | null;
  readonly unfinished: readonly number[];
  readonly isChat: boolean;
  readonly wantsUsage: boolean;
  readonly usage: Usage;
  readonly account: Account;
}): string {
  const { head, unfinished, isChat, wantsUsage, usage, account } = closing;
  const choices = unfinished.map((index) => ({
    index,
    ...(isChat ? { delta: {} } : { text: "" }),
    logprobs: null,
    finish_reason: "length",
  }));
  const money = { usage: usageBody(usage), bursar: account };
  const chunk = (fields: object) => sse(JSON.stringify({ ...headFields(head, isChat), ...fields }));
  if (!wantsUsage) return chunk({ choices, ...money }) + DONE;
  return chunk({ choices, usage: null }) + chunk({ choices: [], ...money }) + DONE;
}

/** A usage chunk of our own making. */
export function usageChunk(head: ChunkHead | null, isChat: boolean, usage: Usage): string {
  return JSON.stringify({ ...headFields(head, isChat), choices: [], usage: usageBody(usage) });
}

/** The end of an answer that broke off. OpenAI's clients throw on it, so that nobody takes the part for the whole. */
export function brokenClosing(problem: Problem, requestId: string, account: Account | null): string {
  return sse(JSON.stringify({ error: errorOf(problem, requestId), ...(account === null ? {} : { bursar: account }) }));
}

function headFields(head: ChunkHead | null, isChat: boolean): object {
  const { id = "", object = isChat ? "chat.completion.chunk" : "text_completion", created = 0, model = "" } = head ?? {};
  return { id, object, created, model };
}

function usageBody(usage: Usage): object {
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedInputTokens },
  };
}
