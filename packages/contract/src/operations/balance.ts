import { z } from "zod";
import { operation } from "../operation.ts";
import {
  affordable,
  creditsText,
  feature,
  id,
  instantText,
  modelName,
  positiveAmount,
  tokens,
} from "../shapes.ts";
import { grantSource } from "./grants.ts";

export const getBalance = operation({
  name: "getBalance",
  method: "get",
  path: "/v1/balance",
  access: "account",
  summary: "What the account has. Reading never writes, tops up or charges.",
  query: z.strictObject({ accountId: id.optional(), feature: feature.optional() }),
  status: 200,
  answer: z.object({
    accountId: z.string(),
    available: creditsText,
    held: creditsText,
    owed: creditsText,
    net: creditsText,
    frozen: z.boolean(),
    grants: z.array(
      z.object({
        id: z.string(),
        source: grantSource,
        remaining: creditsText,
        priority: z.int(),
        expiresAt: instantText.nullable(),
      }),
    ),
    nextExpiry: z.object({ at: instantText, amount: creditsText }).nullable(),
    nextReset: z
      .object({ at: instantText, amount: creditsText })
      .nullable()
      .describe("When the monthly quota comes next, and how much"),
  }),
  errors: ["account_unknown"],
});

/** Work, either with a known price or as tokens of a model. Exactly one of the two forms. */
export const work = {
  amount: positiveAmount.optional(),
  model: modelName.optional(),
  inputTokens: tokens.optional(),
  maxOutputTokens: tokens.optional(),
};

export interface WorkFields {
  readonly amount?: bigint | undefined;
  readonly model?: string | undefined;
  readonly inputTokens?: number | undefined;
  readonly maxOutputTokens?: number | undefined;
}

/** Names the field at fault when the two forms are mixed or incomplete. */
export function checkWork(value: WorkFields, context: z.RefinementCtx): void {
  const issue = (path: string, message: string) =>
    context.addIssue({ code: "custom", path: [path], message });
  if (value.amount !== undefined) {
    if (value.model !== undefined) issue("model", "must not come with amount: give one of the two");
    return;
  }
  if (value.model === undefined)
    return issue("amount", "give amount, or model with inputTokens and maxOutputTokens");
  if (value.inputTokens === undefined) issue("inputTokens", "is required with model");
  if (value.maxOutputTokens === undefined) issue("maxOutputTokens", "is required with model");
}

export const check = operation({
  name: "check",
  method: "post",
  path: "/v1/check",
  access: "account",
  summary: "Would this be allowed now? Reserves nothing: use a hold before work that costs.",
  body: z
    .strictObject({ accountId: id.optional(), ...work, feature: feature.optional() })
    .superRefine(checkWork),
  status: 200,
  answer: z.object({
    allowed: z.boolean(),
    amount: creditsText.nullable(),
    available: creditsText,
    missing: creditsText,
    reason: z.string().nullable(),
    affordable,
  }),
  errors: ["account_unknown", "model_unknown"],
});
