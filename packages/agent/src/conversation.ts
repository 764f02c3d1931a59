import type { ToolAnswer } from "@bursar/contract/agent/tool";
import type { JSONValue, ModelMessage } from "ai";
import type { MadeCall } from "./turn.ts";

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
