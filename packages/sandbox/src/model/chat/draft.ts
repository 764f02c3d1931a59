import type { ModelCard } from "../catalogue.ts";
import { withoutDirectives } from "../directive.ts";
import type { ScriptedReply } from "../scripts.ts";
import type { Settings } from "../settings.ts";
import { tokenize } from "../tokens.ts";
import { exampleOf } from "./example.ts";
import { answerAfterTools, answerTo, stretchTo } from "./prose.ts";
import { type ChatRequest, lastUserText, textOf } from "./request.ts";
import { type DecidedCall, decideToolCalls } from "./toolcalls.ts";

/** An answer before any limit is applied to it. */
export interface Draft {
  contentTokens: string[];
  toolCalls: DecidedCall[];
}

/** Decides what one choice says. First match wins: empty, tool calls, `say`, JSON, prose; `tokens` stretches
 *  or shortens the text. */
export function draftAnswer(
  request: ChatRequest,
  card: ModelCard,
  settings: Settings,
  variant: number,
): Draft {
  if (settings.empty) return { contentTokens: [], toolCalls: [] };
  const toolCalls = settings.say === undefined ? decideToolCalls(request, settings) : [];
  if (toolCalls.length > 0) return { contentTokens: [], toolCalls };
  const tokens = tokenize(settings.say ?? plainAnswer(request, card, variant));
  const stretched = settings.answerTokens === undefined ? tokens : stretchTo(tokens, settings.answerTokens);
  return { contentTokens: stretched, toolCalls: [] };
}

/** A registered reply, word for word. */
export function draftScripted(scripted: ScriptedReply): Draft {
  const toolCalls = (scripted.tool_calls ?? []).map((call) => ({
    name: call.name,
    argumentTokens: tokenize(
      typeof call.arguments === "string" ? call.arguments : JSON.stringify(call.arguments),
    ),
  }));
  return { contentTokens: tokenize(scripted.content ?? ""), toolCalls };
}

function plainAnswer(request: ChatRequest, card: ModelCard, variant: number): string {
  const question = withoutDirectives(lastUserText(request.messages));
  const results = trailingToolResults(request);
  const prose = results.length > 0 ? answerAfterTools(results) : answerTo(question, variant, card.paragraphs);
  const format = request.response_format?.type ?? "text";
  if (format === "json_object") return JSON.stringify({ question, answer: prose, model: card.id });
  if (format === "json_schema")
    return JSON.stringify(exampleOf(request.response_format?.json_schema?.schema));
  return prose;
}

function trailingToolResults(request: ChatRequest): string[] {
  const first = request.messages.findLastIndex((message) => message.role !== "tool") + 1;
  return request.messages.slice(first).map(textOf);
}
