import { randomUUID } from "node:crypto";
import { behaveBefore } from "../before.ts";
import { findModel, type ModelCard } from "../catalogue.ts";
import { readFaultWords } from "../directive.ts";
import { type ApiError, invalidRequest, unknownModel } from "../errors.ts";
import type { ScriptedReply } from "../scripts.ts";
import type { Settings } from "../settings.ts";
import { describeUsage, type TokenCounts } from "../usage.ts";
import { type Exchange, sendError } from "../wire/exchange.ts";
import { reply } from "../wire/reply.ts";
import type { World } from "../world.ts";
import { type Choice, countOutputTokens, limitDraft } from "./choice.ts";
import { draftAnswer, draftScripted } from "./draft.ts";
import { followOrders } from "./orders.ts";
import { countPromptTokens } from "./prompt.ts";
import { type ChatRequest, lastUserText, parseChatRequest } from "./request.ts";
import { chatBody, chatDialect } from "./wording.ts";

/** `POST /v1/chat/completions`: check, misbehave if asked to, decide the answer, send it. */
export async function handleChat(
  world: World,
  exchange: Exchange,
  body: Record<string, unknown>,
): Promise<void> {
  const parsed = parseChatRequest(body);
  if (parsed.kind === "bad") return sendError(exchange, parsed.failure);
  const { request } = parsed;
  const card = findModel(request.model);
  if (card?.kind !== "chat") return sendError(exchange, unknownModel(request.model));
  const promptTokens = countPromptTokens(request);
  const failure = limitFailure(request, card, promptTokens);
  if (failure) return sendError(exchange, failure);
  const settings = await behaveBefore(world, exchange, card.id, lastUserText(request.messages));
  if (!settings) return;
  const answer = decideAnswer(world, request, card, settings);
  if (answer.kind === "bad") return sendError(exchange, answer.failure);
  send(exchange, request, answer, countTokensOf(world, request, card, answer, promptTokens));
}

function limitFailure(request: ChatRequest, card: ModelCard, promptTokens: number): ApiError | undefined {
  if (promptTokens > card.contextTokens) {
    const wording = `This model's maximum context length is ${card.contextTokens} tokens. However, your messages resulted in ${promptTokens} tokens.`;
    return invalidRequest(wording, "messages", "context_length_exceeded");
  }
  const param = request.max_completion_tokens ? "max_completion_tokens" : "max_tokens";
  const asked = request.max_completion_tokens ?? request.max_tokens ?? 1;
  if (asked <= card.maximumOutputTokens) return undefined;
  const wording = `${param} is too large: ${asked}. This model supports at most ${card.maximumOutputTokens} completion tokens.`;
  return invalidRequest(wording, param, "invalid_value");
}

type Answer = { kind: "answer"; choices: Choice[]; settings: Settings; reasoningTokens: number };

function decideAnswer(
  world: World,
  request: ChatRequest,
  card: ModelCard,
  asked: Settings,
): Answer | { kind: "bad"; failure: ApiError } {
  const scripted = replyOf(world, request, card);
  if (card.scripted && !scripted) return { kind: "bad", failure: nothingScripted() };
  const settings = { ...asked, ...settingsOf(scripted?.directive) };
  const most = request.max_completion_tokens ?? request.max_tokens ?? card.maximumOutputTokens;
  const reasoningTokens = Math.min(most, settings.reasoningTokens ?? card.reasoningTokens);
  const limits = {
    maximumTokens: most - reasoningTokens,
    stop: [request.stop ?? []].flat(),
    finishReason: settings.finishReason,
  };
  const choices = Array.from({ length: request.n ?? 1 }, (_, variant) => {
    const draft = scripted ? draftScripted(scripted) : draftAnswer(request, card, settings, variant);
    return limitDraft(draft, limits);
  });
  return { kind: "answer", choices, settings, reasoningTokens: reasoningTokens * choices.length };
}

/** undefined: the answer follows from the question. */
function replyOf(world: World, request: ChatRequest, card: ModelCard): ScriptedReply | undefined {
  if (card.scripted) return world.scripts.take(request);
  return card.followsOrders ? followOrders(request) : undefined;
}

function nothingScripted(): ApiError {
  const wording =
    "No script has a reply left for this conversation; register one with POST /sandbox/scripts.";
  return invalidRequest(wording, "model", "script_exhausted");
}

function settingsOf(directive: string | undefined): Settings {
  const reading = readFaultWords(directive ?? "");
  return reading.kind === "read" ? reading.settings : {};
}

function countTokensOf(
  world: World,
  request: ChatRequest,
  card: ModelCard,
  answer: Answer,
  promptTokens: number,
): TokenCounts {
  const remembered = card.cachesPrompts && promptTokens >= 1024 ? world.promptCache.visit(request) : 0;
  const shown = countOutputTokens(answer.choices);
  return {
    promptTokens,
    cachedTokens: Math.min(promptTokens, answer.settings.cachedTokens ?? remembered),
    outputTokens: shown + answer.reasoningTokens,
    reasoningTokens: answer.reasoningTokens,
  };
}

function send(exchange: Exchange, request: ChatRequest, answer: Answer, counts: TokenCounts): void {
  const envelope = {
    id: `chatcmpl-${randomUUID().replaceAll("-", "")}`,
    created: Math.floor(Date.now() / 1000),
    model: request.model,
  };
  const usage = describeUsage(counts, answer.settings);
  reply(exchange, {
    stream: request.stream === true,
    includeUsage: request.stream_options?.include_usage === true,
    choices: answer.choices,
    settings: answer.settings,
    counts,
    usage,
    dialect: () => chatDialect(envelope),
    body: (shownUsage) => chatBody(envelope, answer.choices, shownUsage),
  });
}
