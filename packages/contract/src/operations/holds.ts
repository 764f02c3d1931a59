import { z } from "zod";
import { operation } from "../operation.ts";
import {
  affordable,
  amountOrZero,
  creditsText,
  feature,
  id,
  instantText,
  metadata,
  usage,
} from "../shapes.ts";
import { checkWork, work } from "./balance.ts";

const ttlSeconds = z.int().min(1).max(86_400).describe("Default 600; renew it with extend");

export const holdFields = z.strictObject({
  id: id.optional().describe("Your id for this hold; it is the idempotency key"),
  accountId: id.optional(),
  ...work,
  feature: feature.optional(),
  ttlSeconds: ttlSeconds.optional(),
  parentId: id.optional().describe("An open hold to draw from: a run's budget"),
  metadata: metadata.optional(),
});

export const holdAnswer = z.object({
  id: z.string(),
  state: z.literal("open"),
  amount: creditsText,
  expiresAt: instantText,
  available: creditsText.describe("All that the account has left besides, whatever it may pay for"),
  affordable: affordable.describe(
    "By what this work can use: the hold itself, and what can be held besides, for its feature or of its parent",
  ),
});

export const createHold = operation({
  name: "createHold",
  method: "post",
  path: "/v1/holds",
  access: "account",
  summary: "Reserve credits before work starts, so that parallel calls cannot overspend.",
  body: holdFields.superRefine(checkWork),
  status: 201,
  answer: holdAnswer,
  errors: [
    "account_unknown",
    "model_unknown",
    "key_conflict",
    "hold_unknown",
    "hold_closed",
    "account_frozen",
    "in_debt",
    "cap_exceeded",
    "parent_exhausted",
    "insufficient_credits",
    "too_many_holds",
  ],
});

const holdParams = z.object({ id });

export const extendHold = operation({
  name: "extendHold",
  method: "post",
  path: "/v1/holds/{id}/extend",
  access: "account",
  summary: "Grow a hold, renew its expiry, or report what its work has cost so far.",
  params: holdParams,
  body: z.strictObject({
    id: id.optional().describe("Idempotency key of this extension"),
    accountId: id.optional(),
    amount: amountOrZero.optional(),
    ttlSeconds: ttlSeconds.optional(),
    reported: amountOrZero.optional().describe("Cost so far: what is settled if the owner never comes back"),
  }),
  status: 200,
  answer: z.object({
    id: z.string(),
    state: z.literal("open"),
    amount: creditsText,
    extended: creditsText,
    expiresAt: instantText.nullable(),
    available: creditsText,
  }),
  errors: [
    "key_conflict",
    "hold_unknown",
    "hold_closed",
    "account_frozen",
    "in_debt",
    "cap_exceeded",
    "parent_exhausted",
    "insufficient_credits",
  ],
});

/** Exactly one of the two. */
export const costFields = { amount: amountOrZero.optional(), usage: usage.optional() };

export function checkCost(
  value: { amount?: bigint | undefined; usage?: unknown },
  context: z.RefinementCtx,
): void {
  if ((value.amount === undefined) === (value.usage === undefined)) {
    context.addIssue({ code: "custom", path: ["amount"], message: "give exactly one of amount and usage" });
  }
}

export const settleFields = z.strictObject({ accountId: id.optional(), ...costFields });

export const settleAnswer = z.object({
  id: z.string(),
  state: z.literal("settled"),
  charged: creditsText,
  released: creditsText,
  overrun: creditsText.describe("The part that neither the hold nor the balance covered: now a debt"),
  available: creditsText,
});

export const settleHold = operation({
  name: "settleHold",
  method: "post",
  path: "/v1/holds/{id}/settle",
  access: "account",
  summary: "Charge the work's real cost and release the rest. Settling again answers with the first result.",
  params: holdParams,
  body: settleFields.superRefine(checkCost),
  status: 200,
  answer: settleAnswer,
  errors: ["hold_unknown", "hold_closed", "model_unknown"],
});

export const releaseAnswer = z.object({
  id: z.string(),
  state: z.literal("released"),
  released: creditsText,
  available: creditsText,
});

export const releaseHold = operation({
  name: "releaseHold",
  method: "post",
  path: "/v1/holds/{id}/release",
  access: "account",
  summary: "Give the whole hold back, because the work did not happen.",
  params: holdParams,
  body: z.strictObject({ accountId: id.optional() }).optional(),
  status: 200,
  answer: releaseAnswer,
  errors: ["hold_unknown", "hold_closed"],
});
