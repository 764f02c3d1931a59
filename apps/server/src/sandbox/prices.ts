import type { PriceBookInput } from "@bursar/contract/operations/prices";

/** Prices to begin with in the sandbox: credits per million tokens. Replaced by `bursar prices set`. */
export const SANDBOX_PRICES: PriceBookInput = {
  models: {
    "sandbox-small": price("150", "75", "600"),
    "sandbox-large": price("2500", "1250", "10000"),
    "sandbox-reasoning": price("1100", "550", "4400"),
    "sandbox-scripted": price("150", "75", "600"),
    "sandbox-embedding": { inputPerMillion: "20", outputPerMillion: "0", contextTokens: 8192 },
  },
  features: {},
  marginPercent: "0",
  unknownModel: "refuse",
};

function price(inputPerMillion: string, cachedInputPerMillion: string, outputPerMillion: string) {
  return {
    inputPerMillion,
    cachedInputPerMillion,
    outputPerMillion,
    contextTokens: 128_000,
    maxOutputTokens: 32_768,
  };
}
