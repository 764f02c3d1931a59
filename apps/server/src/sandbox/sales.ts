import type { PriceBookInput } from "@bursar/contract/operations/prices";

type Sales = NonNullable<PriceBookInput["credits"]>;

/** What credits cost in the sandbox; minor units: cents, and whole yen. */
export const SANDBOX_SALES: Sales = {
  minimum: "500",
  maximum: "1000000",
  tiers: [
    { id: "credits-1000", credits: "1000", prices: { eur: 200, usd: 300, jpy: 400 } },
    { id: "credits-10000", credits: "10000", bonus: "500", prices: { eur: 1000, usd: 1500, jpy: 2000 } },
    {
      id: "credits-21000",
      credits: "21000",
      bonus: "1000",
      prices: { eur: 2000, usd: 3000, jpy: 4000 },
      recommended: true,
    },
    { id: "credits-54000", credits: "54000", bonus: "3000", prices: { eur: 5000, usd: 6000, jpy: 9000 } },
  ],
  packs: [
    { id: "mini", name: "Mini", credits: "50", prices: { eur: 599 } },
    { id: "power", name: "Power", credits: "150", prices: { eur: 1499 } },
    { id: "mega", name: "Mega", credits: "300", prices: { eur: 2499 } },
  ],
};
