import { credits, formatCredits } from "@bursar/contract/money";
import type { PriceBookInput } from "@bursar/contract/operations/prices";
import { SANDBOX_SALES } from "./sales.ts";

/** Prices to begin with in the sandbox: credits per million tokens. Replaced by `bursar prices set`. */
export const SANDBOX_PRICES: PriceBookInput = {
  models: {
    "sandbox-small": price("150", "75", "600"),
    "sandbox-large": price("2500", "1250", "10000"),
    "sandbox-reasoning": price("1100", "550", "4400"),
    "sandbox-scripted": price("150", "75", "600"),
    "sandbox-coder": price("150", "75", "600"),
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
  plans: [
    ...tier("1000", "0", { eur: 200, usd: 300, jpy: 400 }),
    ...tier("10000", "500", { eur: 1000, usd: 1500, jpy: 2000 }),
    ...tier("21000", "1000", { eur: 2000, usd: 3000, jpy: 4000 }),
    ...tier("54000", "3000", { eur: 5000, usd: 6000, jpy: 9000 }),
    ...monthlyAndYearly({ id: "orbit", name: "Orbit", credits: "100" }, { eur: 999 }),
    ...monthlyAndYearly({ id: "galaxy", name: "Galaxy", credits: "500" }, { eur: 3999 }),
  ],
  credits: SANDBOX_SALES,
};

type Plan = NonNullable<PriceBookInput["plans"]>[number];

function tier(amount: string, bonus: string, prices: Plan["prices"]): Plan[] {
  const name = `${Number(amount).toLocaleString("en")} a month`;
  return monthlyAndYearly({ id: `monthly-${amount}`, name, credits: amount, bonus }, prices);
}

/** A year costs what ten months cost. */
function monthlyAndYearly(plan: Omit<Plan, "prices">, prices: Plan["prices"]): Plan[] {
  const yearly = Object.entries(prices).map(([currency, price]) => [currency, Number(price) * 10]);
  const id = plan.id.replace("monthly-", "");
  return [
    { ...plan, prices },
    {
      ...plan,
      id: `yearly-${id}`,
      name: `${plan.name}, by the year`,
      interval: "year",
      prices: Object.fromEntries(yearly),
    },
  ];
}

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
