import type { ToolAnswer } from "@bursar/contract/agent/tool";
import type { JSONValue, ModelMessage } from "ai";
import type { MadeCall } from "./spoken.ts";

/** What the model said and asked for, as it is told again at the next step. */
export function assistantMessage(text: string, calls: readonly MadeCall[]): ModelMessage {
  const said = text === "" ? [] : [{ type: "text" as const, text }];
  const asked = calls.map(({ callId, toolName, input }) => ({
    type: "tool-call" as const,
    toolCallId: callId,
    toolName,
    // Broken JSON cannot be sent back as arguments; the answer says what was wrong with it.
    input: typeof input === "object" && input !== null ? input : {},
  }));
  return { role: "assistant", content: [...said, ...asked] };
}

/** An answer to each call, in the order of the calls. */
export function resultsMessage(
  calls: readonly MadeCall[],
  answers: ReadonlyMap<string, ToolAnswer>,
): ModelMessage {
  const content = calls.map(({ callId, toolName }) => {
    const answer = answers.get(callId)!;
    const output = answer.ok
      ? { type: "json" as const, value: answer.output as JSONValue }
      : { type: "error-json" as const, value: { error: { ...answer.error } } };
    return { type: "tool-result" as const, toolCallId: callId, toolName, output };
  });
  return { role: "tool", content };
}

/** About 100,000 tokens: what the context of today's models holds, with room for the answer. */
export const CONVERSATION_CHARACTERS = 360_000;
const NEWEST_KEPT = 4;
const LEFT_OUT = "Left out, because the conversation became too long: call the tool again if you need it.";
const TOO_LONG =
  "Left out, because it is too long to be read at once: ask for less of it, with fewer files in a call, or by code_search.";
/** Of each text that was given to a tool long ago. */
const OLD_CHARACTERS = 200;

/** The same conversation, within what a model can read. All that was said stays; of the oldest calls only what they
 *  were, and that there were answers. Where that is not enough, the longest of the newest answers are left out. */
export function withinContext(
  messages: readonly ModelMessage[],
  mostCharacters = CONVERSATION_CHARACTERS,
): ModelMessage[] {
  const kept = [...messages];
  let characters = kept.reduce((sum, message) => sum + sizeOf(message), 0);
  const replace = (at: number, other: ModelMessage) => {
    const saved = sizeOf(kept[at]!) - sizeOf(other);
    if (saved <= 0) return;
    characters -= saved;
    kept[at] = other;
  };
  const firstNew = Math.max(0, kept.length - NEWEST_KEPT);
  for (let at = 0; at < firstNew && characters > mostCharacters; at += 1) replace(at, asOld(kept[at]!));
  const newest = kept.slice(firstNew).flatMap((message, index) => answersIn(message, firstNew + index));
  for (const { at, callId } of newest.toSorted((one, other) => other.size - one.size)) {
    if (characters <= mostCharacters) break;
    replace(at, withoutAnswers(kept[at]!, TOO_LONG, callId));
  }
  return kept;
}

function sizeOf({ content }: ModelMessage): number {
  return JSON.stringify(content).length;
}

function asOld(message: ModelMessage): ModelMessage {
  if (message.role !== "assistant" || typeof message.content === "string")
    return withoutAnswers(message, LEFT_OUT);
  const content = message.content.map((part) =>
    part.type === "tool-call" ? { ...part, input: shortened(part.input) } : part,
  );
  return { ...message, content };
}

/** Its shape stays, so that it still looks like a call that can be made. */
function shortened(value: unknown): unknown {
  if (typeof value === "string" && value.length > OLD_CHARACTERS)
    return `${value.slice(0, OLD_CHARACTERS).toWellFormed()}… ${value.length - OLD_CHARACTERS} characters left out`;
  if (Array.isArray(value)) return value.map(shortened);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, shortened(part)]));
}

function answersIn({ role, content }: ModelMessage, at: number) {
  if (role !== "tool") return [];
  return content.flatMap((part) =>
    part.type === "tool-result"
      ? [{ at, callId: part.toolCallId, size: JSON.stringify(part.output).length }]
      : [],
  );
}

/** All of them, or the one to that call. */
function withoutAnswers(message: ModelMessage, remark: string, callId?: string): ModelMessage {
  if (message.role !== "tool") return message;
  const content = message.content.map((part) =>
    part.type === "tool-result" && (callId === undefined || part.toolCallId === callId)
      ? { ...part, output: { type: "text" as const, value: remark } }
      : part,
  );
  return { ...message, content };
}

/** Everything of a conversation that a model reads, for counting. */
export function textsOf(instructions: string, messages: readonly ModelMessage[], tools: object): string[] {
  const said = messages.map(({ content }) =>
    typeof content === "string" ? content : JSON.stringify(content.map(withoutWrapping)),
  );
  return [instructions, JSON.stringify(tools), ...said];
}

/** Without what only the SDK calls things by. */
function withoutWrapping(part: object): unknown {
  const { type: _, ...rest } = part as { type?: unknown };
  return "text" in rest ? rest.text : rest;
}
