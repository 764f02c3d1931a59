import { expect, it } from "vitest";
import { readUsage } from "./usage.ts";

it.each([
  ["openai: thoughts are part of the completion", 20, 120, 140, 100, 120, 100],
  ["xai: thoughts are beside the completion", 32, 9, 135, 94, 103, 94],
  ["gemini: thoughts are in the total alone", 9, 14, 850, undefined, 841, 827],
  ["no count of the input, so that the total tells nothing", 0, 14, 850, undefined, 14, 0],
  ["no total", 9, 14, undefined, undefined, 14, 0],
  ["a total that is less than its parts", 9, 14, 3, 5, 14, 5],
  ["a total that is no count", 9, 14, 1e12, undefined, 14, 0],
])(
  "what a model thinks is billed as output, %s",
  (_, prompt, completion, total, reasoning, output, hidden) => {
    const usage = {
      prompt_tokens: prompt,
      completion_tokens: completion,
      total_tokens: total,
      completion_tokens_details: { reasoning_tokens: reasoning },
    };
    expect(readUsage(usage)).toEqual({
      inputTokens: prompt,
      cachedInputTokens: 0,
      outputTokens: output,
      hiddenTokens: hidden,
    });
  },
);
