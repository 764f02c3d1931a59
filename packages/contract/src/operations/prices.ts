import { z } from "zod";
import { minorUnits } from "../fiat.ts";
import { operation } from "../operation.ts";
import {
  amountOrZero,
  creditsText,
  feature,
  id,
  instant,
  instantText,
  modelName,
  positiveAmount,
  tokens,
} from "../shapes.ts";
import { planList } from "./subscriptions.ts";

const modelPrice = z.strictObject({
  inputPerMillion: amountOrZero,
  cachedInputPerMillion: amountOrZero.optional().describe("Default: the input price"),
  outputPerMillion: amountOrZero,
  contextTokens: tokens.optional(),
  maxOutputTokens: tokens.optional(),
  marginPercent: z
    .string()
    .regex(/^\d{1,4}(\.\d{1,2})?$/, 'must be a percentage with at most 2 decimals, such as "20" or "12.5"')
    .optional()
    .describe("Instead of the book's margin"),
});

const fiatPrices = z
  .strictObject({ eur: minorUnits.optional(), usd: minorUnits.optional(), jpy: minorUnits.optional() })
  .refine((prices) => Object.values(prices).some((price) => price !== undefined), "must name a price");

const pack = { id, name: z.string().min(1).max(100).optional(), credits: positiveAmount, prices: fiatPrices };

/** What credits cost people. Tiers also give the price of any amount between them; packs are sold whole. */
export const creditSales = z
  .strictObject({
    minimum: positiveAmount.prefault("500").describe("The smallest purchase and the smallest top-up"),
    maximum: positiveAmount.prefault("1000000").describe("The largest"),
    tiers: z
      .array(
        z.strictObject({
          ...pack,
          bonus: amountOrZero.prefault("0").describe("On top each month, with a subscription"),
          recommended: z.boolean().default(false),
        }),
      )
      .max(50)
      .default([]),
    packs: z.array(z.strictObject(pack)).max(50).default([]),
  })
  .superRefine(({ tiers, packs, minimum, maximum }, context) => {
    const ids = [...tiers, ...packs].map((sold) => sold.id);
    const twice = ids.find((name, index) => ids.indexOf(name) !== index);
    if (twice !== undefined) context.addIssue({ code: "custom", message: `"${twice}" is there twice` });
    if (minimum > maximum)
      context.addIssue({ code: "custom", path: ["minimum"], message: "must not be above maximum" });
  });

export type CreditSales = z.output<typeof creditSales>;

/** Prices in credits per million tokens, before the margin. */
export const priceBookBody = z.strictObject({
  models: z.record(modelName, modelPrice),
  features: z
    .record(feature, z.strictObject({ price: amountOrZero }))
    .default({})
    .describe("Credits a use, for work that is not counted in tokens"),
  marginPercent: z
    .string()
    .regex(/^\d{1,4}(\.\d{1,2})?$/, 'must be a percentage with at most 2 decimals, such as "20" or "12.5"')
    .default("0"),
  unknownModel: z
    .union([z.literal("refuse"), modelPrice])
    .default("refuse")
    .describe("What a model without a price costs: refused, or this price for all of them"),
  plans: planList.default([]).describe("Subscriptions: credits each month"),
  credits: creditSales.optional().describe("What credits cost; absent: none are sold"),
});

export type PriceBookBody = z.output<typeof priceBookBody>;
export type PriceBookInput = z.input<typeof priceBookBody>;

export const listModels = operation({
  name: "listModels",
  method: "get",
  path: "/v1/models",
  access: "account",
  summary: "Models with their prices, margin included. Also OpenAI's list shape.",
  query: z.strictObject({ accountId: id.optional() }),
  status: 200,
  answer: z.object({
    object: z.literal("list"),
    priceVersion: z.int(),
    data: z.array(
      z.object({
        id: z.string(),
        object: z.literal("model"),
        created: z.int(),
        owned_by: z.string(),
        inputPerMillion: creditsText,
        cachedInputPerMillion: creditsText,
        outputPerMillion: creditsText,
        contextTokens: z.int().nullable(),
        maxOutputTokens: z.int().nullable(),
      }),
    ),
  }),
  errors: [],
});

const priceBookState = z.object({
  version: z.int(),
  validFrom: instantText,
  createdAt: instantText,
  book: z.record(z.string(), z.json()).describe("As it was put"),
});

export const getPriceBook = operation({
  name: "getPriceBook",
  method: "get",
  path: "/v1/price-book",
  access: "admin",
  summary: "The prices in force, and the versions that come.",
  query: z.strictObject({ at: instant.optional() }),
  status: 200,
  answer: z.object({ current: priceBookState, upcoming: z.array(priceBookState) }),
  errors: [],
});

export const putPriceBook = operation({
  name: "putPriceBook",
  method: "post",
  path: "/v1/price-book",
  access: "admin",
  summary: "Add a version of the price book. Versions are never changed: receipts refer to them.",
  body: z.strictObject({
    book: priceBookBody,
    validFrom: instant.optional().describe("Default: now. Must not be in the past"),
    version: z.int().min(1).optional().describe("The version this must become, against two at once"),
  }),
  status: 201,
  answer: priceBookState,
  errors: ["price_book_conflict"],
});
