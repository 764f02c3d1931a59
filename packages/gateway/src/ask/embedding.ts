import type { Reader } from "./ask.ts";
import { checkModel, invalid, isObject } from "./fields.ts";
import { inputPrompt, inputsOf } from "./input.ts";

/** `POST /v1/embeddings`: input only. */
export const readEmbedding: Reader = (body) => {
  if (!isObject(body)) return invalid(null, "The body must be a JSON object.");
  const problem = checkModel(body);
  if (problem !== null) return problem;
  const { model, input, ...others } = body;
  const inputs = inputsOf(input);
  if (inputs === null)
    return invalid("input", "'input' must be a text, a list of token ids, or a list of either.");
  return {
    kind: "ask",
    ask: {
      path: "/embeddings",
      model: model as string,
      streams: false,
      wantsUsage: false,
      choices: 0,
      outputLimit: null,
      prompt: inputPrompt(inputs, others),
      body,
    },
  };
};
