import type { Ask, Reader } from "./ask.ts";
import { chatPrompt } from "./chat-prompt.ts";
import {
  checkModel,
  checkStreaming,
  checkWholeNumber,
  type Fields,
  invalid,
  isObject,
  numberOr,
  wantsUsage,
} from "./fields.ts";

export const LARGEST_OUTPUT_LIMIT = 10_000_000;
export const LARGEST_CHOICES = 128;

/** `POST /v1/chat/completions`. */
export const readChat: Reader = (body) => {
  if (!isObject(body)) return invalid(null, "The body must be a JSON object.");
  const problem = checkModel(body) ?? checkMessages(body) ?? checkLimits(body) ?? checkStreaming(body);
  if (problem !== null) return problem;
  return { kind: "ask", ask: chatAsk(body) };
};

function checkMessages(body: Fields) {
  const { messages } = body;
  if (messages === undefined) return invalid("messages", "Missing required parameter: 'messages'.");
  if (!Array.isArray(messages) || messages.length === 0)
    return invalid("messages", "'messages' must be a list of at least one message.");
  const odd = messages.findIndex((message) => !isObject(message));
  return odd === -1 ? null : invalid(`messages[${odd}]`, `'messages[${odd}]' must be an object.`);
}

function checkLimits(body: Fields) {
  return (
    checkWholeNumber(body, "n", LARGEST_CHOICES) ??
    checkWholeNumber(body, "max_tokens", LARGEST_OUTPUT_LIMIT) ??
    checkWholeNumber(body, "max_completion_tokens", LARGEST_OUTPUT_LIMIT)
  );
}

function chatAsk(body: Fields): Ask {
  const limits = [body["max_completion_tokens"], body["max_tokens"]].filter(
    (limit) => typeof limit === "number",
  );
  return {
    path: "/chat/completions",
    model: body["model"] as string,
    streams: body["stream"] === true,
    wantsUsage: wantsUsage(body),
    choices: numberOr(body["n"], 1),
    outputLimit: limits.length === 0 ? null : Math.max(...limits),
    prompt: chatPrompt(body),
    body,
  };
}
