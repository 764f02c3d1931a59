import type { AskedToolCall, Settings } from "../settings.ts";
import { tokenize } from "../tokens.ts";
import { exampleOf } from "./example.ts";
import { type ChatRequest, lastUserText } from "./request.ts";

export interface DecidedCall {
  name: string;
  /** The JSON text as it goes over the wire, cut into tokens. */
  argumentTokens: string[];
}

/** Which tools the model calls. First match wins: none when the caller forbids it; the tool the caller demands;
 *  none right after tool answers; those of the directive; those the last user message names; with
 *  `tool_choice: "required"` the first tool. */
export function decideToolCalls(request: ChatRequest, settings: Settings): DecidedCall[] {
  const asked = askedCalls(request, settings);
  const called = request.parallel_tool_calls === false ? asked.slice(0, 1) : asked;
  return called.map((call) => ({
    name: call.name,
    argumentTokens: tokenize(call.arguments ?? JSON.stringify(exampleArguments(request, call.name))),
  }));
}

function askedCalls(request: ChatRequest, settings: Settings): AskedToolCall[] {
  const choice = request.tool_choice ?? "auto";
  if (choice === "none") return [];
  if (typeof choice === "object") {
    const name = choice.function.name;
    return [settings.toolCalls?.find((call) => call.name === name) ?? { name }];
  }
  const answered = request.messages.at(-1)?.role === "tool";
  const wanted = answered ? [] : (settings.toolCalls ?? mentionedTools(request));
  if (wanted.length > 0 || choice === "auto") return wanted;
  return (request.tools ?? []).slice(0, 1).map((tool) => ({ name: tool.function.name }));
}

/** A tool is meant when the last user message contains its name: `get_weather`, or "get weather". */
function mentionedTools(request: ChatRequest): AskedToolCall[] {
  if (!request.tools) return [];
  const text = spaced(lastUserText(request.messages));
  const names = request.tools.map((tool) => tool.function.name);
  return names.filter((name) => text.includes(spaced(name))).map((name) => ({ name }));
}

function spaced(text: string): string {
  return ` ${text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim()} `;
}

function exampleArguments(request: ChatRequest, name: string): unknown {
  const tool = request.tools?.find((tool) => tool.function.name === name);
  return exampleOf(tool?.function.parameters ?? { type: "object" });
}
