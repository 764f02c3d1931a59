import { countTokens } from "../tokens.ts";
import { type ChatMessage, type ChatRequest, textOf } from "./request.ts";

const tokensPerMessage = 3;
const tokensPerPicture = 85;

/** What a request's input is billed as: 3 tokens a message, its text, 85 a picture or sound, the names and
 *  arguments of its tool calls, the `tools` as JSON, and 3 to begin the answer. Directives count as text. */
export function countPromptTokens(request: Pick<ChatRequest, "messages" | "tools">): number {
  const tools = request.tools ? countTokens(JSON.stringify(request.tools)) : 0;
  return request.messages.reduce((sum, message) => sum + countMessageTokens(message), tools + 3);
}

export function countMessageTokens(message: ChatMessage): number {
  const parts = Array.isArray(message.content) ? message.content : [];
  const pictures = parts.filter((part) => part.text === undefined).length;
  const calls = (message.tool_calls ?? []).map((call) => call.function.name + call.function.arguments);
  const text = countTokens(textOf(message)) + calls.reduce((sum, call) => sum + countTokens(call), 0);
  return tokensPerMessage + text + pictures * tokensPerPicture;
}
