import { randomUUID } from "node:crypto";
import { z } from "zod";
import { behaveBefore } from "./before.ts";
import { findModel, type ModelCard } from "./catalogue.ts";
import { type Choice, countOutputTokens, limitDraft, type Piece, piecesOf } from "./chat/choice.ts";
import { draftAnswer } from "./chat/draft.ts";
import { parseWith } from "./chat/request.ts";
import { unknownModel } from "./errors.ts";
import type { Settings } from "./settings.ts";
import { countTokens } from "./tokens.ts";
import { describeUsage, type Usage } from "./usage.ts";
import { type Exchange, sendError } from "./wire/exchange.ts";
import type { Dialect } from "./wire/interleave.ts";
import { reply } from "./wire/reply.ts";
import type { World } from "./world.ts";

const completionRequest = z.looseObject({
  model: z.string(),
  prompt: z.union([z.string(), z.array(z.string()).length(1)]),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().optional() }).nullish(),
  max_tokens: z.int().min(1).max(32_768).default(16),
  stop: z.union([z.string(), z.array(z.string()).max(4)]).nullish(),
  n: z.int().min(1).max(128).nullish(),
});

type CompletionRequest = z.infer<typeof completionRequest>;

/** `POST /v1/completions`, the older endpoint: one prompt, at most 16 tokens unless asked for more. */
export async function handleCompletion(
  world: World,
  exchange: Exchange,
  body: Record<string, unknown>,
): Promise<void> {
  const parsed = parseWith(completionRequest, body);
  if (parsed.kind === "bad") return sendError(exchange, parsed.failure);
  const { request } = parsed;
  const card = findModel(request.model);
  if (card?.kind !== "chat" || card.scripted) return sendError(exchange, unknownModel(request.model));
  const prompt = [request.prompt].flat().join("");
  const settings = await behaveBefore(world, exchange, card.id, prompt);
  if (!settings) return;
  send(exchange, request, decideChoices(request, card, settings, prompt), settings, countTokens(prompt));
}

function decideChoices(
  request: CompletionRequest,
  card: ModelCard,
  settings: Settings,
  prompt: string,
): Choice[] {
  const asChat = { model: card.id, messages: [{ role: "user" as const, content: prompt }] };
  const limits = {
    maximumTokens: request.max_tokens,
    stop: [request.stop ?? []].flat(),
    finishReason: settings.finishReason,
  };
  return Array.from({ length: request.n ?? 1 }, (_, variant) =>
    limitDraft(draftAnswer(asChat, card, { ...settings, toolCalls: [] }, variant), limits),
  );
}

function send(
  exchange: Exchange,
  request: CompletionRequest,
  choices: Choice[],
  settings: Settings,
  promptTokens: number,
): void {
  const outputTokens = countOutputTokens(choices);
  const cachedTokens = Math.min(promptTokens, settings.cachedTokens ?? 0);
  const counts = { promptTokens, cachedTokens, outputTokens, reasoningTokens: 0 };
  const envelope = {
    id: `cmpl-${randomUUID().replaceAll("-", "")}`,
    object: "text_completion",
    created: Math.floor(Date.now() / 1000),
    model: request.model,
    system_fingerprint: "fp_bursarsandbox",
  };
  reply(exchange, {
    stream: request.stream === true,
    includeUsage: request.stream_options?.include_usage === true,
    choices,
    settings,
    counts,
    usage: describeUsage(counts, settings),
    dialect: () => completionDialect(JSON.stringify(envelope)),
    body: (usage) => completionBody(envelope, choices, usage),
  });
}

function completionDialect(envelope: string): Dialect {
  return {
    head: `${envelope.slice(0, -1)},"choices":`,
    token: (index, piece) => JSON.stringify(describeChoice(index, textOfPiece(piece), null)),
    close: (index, finishReason) => JSON.stringify(describeChoice(index, "", finishReason)),
  };
}

function describeChoice(index: number, text: string, finishReason: string | null) {
  return { text, index, logprobs: null, finish_reason: finishReason };
}

function textOfPiece(piece: Piece): string {
  return piece.kind === "content" ? piece.text : "";
}

function completionBody(envelope: object, choices: readonly Choice[], usage: Usage | undefined) {
  const described = choices.map((choice, index) =>
    describeChoice(index, piecesOf(choice).map(textOfPiece).toArray().join(""), choice.finishReason),
  );
  return { ...envelope, choices: described, ...(usage && { usage }) };
}
