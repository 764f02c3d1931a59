import type { Settings } from "./settings.ts";

export interface TokenCounts {
  promptTokens: number;
  cachedTokens: number;
  outputTokens: number;
  reasoningTokens: number;
}

/** The `usage` of an answer, with the lies that the settings ask for. */
export function describeUsage(counts: TokenCounts, settings: Settings) {
  const promptTokens = settings.usageInputTokens ?? counts.promptTokens;
  const outputTokens = settings.usageOutputTokens ?? counts.outputTokens;
  return {
    prompt_tokens: promptTokens,
    completion_tokens: outputTokens,
    total_tokens: settings.usageTotalTokens ?? promptTokens + outputTokens,
    prompt_tokens_details: { cached_tokens: counts.cachedTokens, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: counts.reasoningTokens,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

export type Usage = ReturnType<typeof describeUsage>;
