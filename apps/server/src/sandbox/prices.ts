import { credits, formatCredits } from "@bursar/contract/money";
import type { PriceBookInput } from "@bursar/contract/operations/prices";

/** Prices to begin with in the sandbox: credits per million tokens. Replaced by `bursar prices set`. */
export const SANDBOX_PRICES: PriceBookInput = {
  models: {
    "sandbox-small": price("150", "75", "600"),
    "sandbox-large": price("2500", "1250", "10000"),
    "sandbox-reasoning": price("1100", "550", "4400"),
    "sandbox-scripted": price("150", "75", "600"),
    ...perThousand({
      "amazon.nova-micro-v1:0": [".06", ".06"],
      "amazon.nova-lite-v1:0": [".25", ".80"],
      "nova-lite": [".25", ".80"],
      "amazon.titan-text-express-v1": [".20", ".60"],
      "titan-text-express": [".20", ".60"],
      "meta.llama3-70b-instruct": [".265", ".35"],
      "meta.llama3-70b-instruct-v1:0": [".265", ".35"],
      // For the credit-check API, which prices every model; the gateway refuses models without a price.
      default: [".20", ".50"],
    }),
    "sandbox-embedding": { inputPerMillion: "20", outputPerMillion: "0", contextTokens: 8192 },
  },
  features: {},
  marginPercent: "0",
  unknownModel: "refuse",
};

/** Prices of the credit-check API are written per thousand tokens, in and out. */
function perThousand(models: Readonly<Record<string, readonly [input: string, output: string]>>) {
  const perMillion = (text: string) => formatCredits(credits(`0${text}`) * 1000n);
  const priced = Object.entries(models).map(([id, [input, output]]) => {
    return [id, { inputPerMillion: perMillion(input), outputPerMillion: perMillion(output) }] as const;
  });
  return Object.fromEntries(priced);
}

function price(inputPerMillion: string, cachedInputPerMillion: string, outputPerMillion: string) {
  return {
    inputPerMillion,
    cachedInputPerMillion,
    outputPerMillion,
    contextTokens: 128_000,
    maxOutputTokens: 32_768,
  };
}
