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

/** The same conversation, within what a model can read: of the oldest answers of tools only that there were some.
 *  The newest messages, and all that was said, stay. */
export function withinContext(
  messages: readonly ModelMessage[],
  mostCharacters = CONVERSATION_CHARACTERS,
): ModelMessage[] {
  const sizes = messages.map((message) => JSON.stringify(message.content).length);
  let characters = sizes.reduce((sum, size) => sum + size, 0);
  return messages.map((message, at) => {
    const isOld = at < messages.length - NEWEST_KEPT;
    if (characters <= mostCharacters || message.role !== "tool" || !isOld) return message;
    const content = message.content.map((part) =>
      part.type === "tool-result" ? { ...part, output: { type: "text" as const, value: LEFT_OUT } } : part,
    );
    characters -= sizes[at]! - JSON.stringify(content).length;
    return { ...message, content };
  });
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
