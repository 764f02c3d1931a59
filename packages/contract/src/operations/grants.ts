import { z } from "zod";
import { operation } from "../operation.ts";
import { creditsText, feature, freeText, id, instant, instantText, note, positiveAmount } from "../shapes.ts";

export const grantSource = z.enum([
  "free",
  "promo",
  "trial",
  "referral",
  "subscription",
  "admin",
  "organization",
  "purchase",
  "topup",
  "gift",
]);

export type GrantSource = z.infer<typeof grantSource>;

export const grantBody = z.strictObject({
  id: id.optional().describe("Your id for this grant; it is the idempotency key"),
  accountId: id.optional(),
  amount: positiveAmount,
  source: grantSource.default("admin"),
  priority: z.int().min(0).max(1000).optional().describe("Lower is spent first; default by source"),
  expiresAt: instant.nullable().optional().describe("null: never; absent: by source (admin: 30 days)"),
  scope: z.array(feature).min(1).max(50).nullable().optional().describe("Features it may pay for; null: all"),
  notes: note.optional(),
  reference: freeText(200).optional(),
});

export const grantAnswer = z.object({
  id: z.string(),
  accountId: z.string(),
  amount: creditsText,
  remaining: creditsText.describe("What it left after paying a debt"),
  expiresAt: instantText.nullable(),
});

export const createGrant = operation({
  name: "createGrant",
  method: "post",
  path: "/v1/grants",
  access: "admin",
  summary:
    "Give credits to an account. A debt is paid first. The same again answers 200 with the first result.",
  body: grantBody,
  status: 201,
  answer: grantAnswer,
  errors: ["account_unknown", "key_conflict", "amount_out_of_range"],
});

export const revokeGrant = operation({
  name: "revokeGrant",
  method: "post",
  path: "/v1/grants/{id}/revoke",
  access: "admin",
  summary: "Take back some or all of a grant, as for a refund. What is spent already becomes debt.",
  params: z.object({ id }),
  body: z.strictObject({ id: id.optional(), accountId: id, amount: positiveAmount, reason: note }),
  status: 200,
  answer: z.object({
    id: z.string(),
    grantId: z.string(),
    revoked: creditsText,
    available: creditsText,
    owed: creditsText,
  }),
  errors: ["account_unknown", "grant_unknown", "amount_out_of_range", "key_conflict"],
});
