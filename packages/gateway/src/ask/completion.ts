import type { Ask, Reader } from "./ask.ts";
import { LARGEST_CHOICES, LARGEST_OUTPUT_LIMIT } from "./chat.ts";
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
import { inputPrompt, inputsOf } from "./input.ts";

/** OpenAI's default for this endpoint. */
const DEFAULT_OUTPUT_TOKENS = 16;

/** `POST /v1/completions`, the older endpoint. */
export const readCompletion: Reader = (body) => {
  if (!isObject(body)) return invalid(null, "The body must be a JSON object.");
  const problem =
    checkModel(body) ??
    checkWholeNumber(body, "n", LARGEST_CHOICES) ??
    checkWholeNumber(body, "best_of", LARGEST_CHOICES) ??
    checkWholeNumber(body, "max_tokens", LARGEST_OUTPUT_LIMIT) ??
    checkStreaming(body);
  if (problem !== null) return problem;
  const inputs = inputsOf(body["prompt"]);
  if (inputs === null)
    return invalid("prompt", "'prompt' must be a text, a list of token ids, or a list of either.");
  return { kind: "ask", ask: completionAsk(body, inputs) };
};

function completionAsk(body: Fields, inputs: ReturnType<typeof inputsOf> & object): Ask {
  const { model, prompt: _, suffix, ...others } = body;
  const all = typeof suffix === "string" ? [...inputs, suffix] : inputs;
  const drafts = Math.max(numberOr(body["n"], 1), numberOr(body["best_of"], 1));
  return {
    path: "/completions",
    model: model as string,
    streams: body["stream"] === true,
    wantsUsage: wantsUsage(body),
    choices: drafts * inputs.length,
    outputLimit: numberOr(body["max_tokens"], DEFAULT_OUTPUT_TOKENS),
    prompt: inputPrompt(all, others),
    body,
  };
}
