import { z } from "zod";
import { ID_PATTERN } from "../ids.ts";
import { operation } from "../operation.ts";
import { creditsText, cursor, id, instant, instantText, listLimit } from "../shapes.ts";

const page = {
  limit: listLimit(1000, 50),
  cursor: cursor.optional(),
};

export const entry = z.object({
  seq: z.int(),
  kind: z.string(),
  amount: creditsText,
  availableAfter: creditsText,
  heldAfter: creditsText,
  owedAfter: creditsText,
  reference: z.string(),
  feature: z.string().nullable(),
  at: instantText,
  by: z.string().describe("Who: a key, a person, or the system"),
  note: z.string().nullable().describe("Why, where somebody said it"),
  hash: z.string(),
});

export const listEntries = operation({
  name: "listEntries",
  method: "get",
  path: "/v1/entries",
  access: "account",
  summary: "The account's ledger, newest first.",
  query: z.strictObject({ accountId: id.optional(), ...page }),
  status: 200,
  answer: z.object({ entries: z.array(entry), nextCursor: z.string().nullable() }),
  errors: ["account_unknown"],
});

const receipt = z.object({
  id: z.string().describe("The operation's id"),
  accountId: z.string(),
  requestId: z.string().nullable(),
  decision: z.enum(["allow", "deny"]),
  reason: z.string().nullable().describe("Why it was denied: an error code"),
  operation: z.string(),
  amount: creditsText.nullable(),
  charged: creditsText,
  feature: z.string().nullable(),
  at: instantText,
  by: z.string(),
  note: z.string().nullable().describe("Why, where somebody said it"),
  draws: z.array(z.object({ grantId: z.string(), source: z.string(), amount: creditsText })),
  price: z
    .object({
      version: z.int(),
      model: z.string(),
      inputTokens: z.int().nullable(),
      cachedInputTokens: z.int().nullable(),
      outputTokens: z.int().nullable(),
      inputPerMillion: creditsText,
      cachedInputPerMillion: creditsText,
      outputPerMillion: creditsText,
      marginPercent: z.string(),
    })
    .nullable(),
  policy: z.record(z.string(), z.json()),
  metadata: z.record(z.string(), z.json()).nullable(),
  entries: z.array(entry),
});

export type Receipt = z.infer<typeof receipt>;

/** Also of what was charged late, after somebody had closed the work's hold: `bursar explain` finds it in the ledger. */
const receiptId = z
  .string()
  .regex(
    new RegExp(ID_PATTERN.source.replace(/\$$/, "( late)?$")),
    "must be an id: 1 to 128 letters, digits or . _ : @ / + - beginning with a letter or digit",
  );

export const getReceipt = operation({
  name: "getReceipt",
  method: "get",
  path: "/v1/receipts/{id}",
  access: "account",
  summary: "Why a decision fell as it did. By request id, or by the id of the operation, hold or grant.",
  params: z.object({ id: receiptId }),
  query: z.strictObject({ accountId: id.optional() }),
  status: 200,
  answer: receipt,
  errors: ["receipt_unknown"],
});

export const getUsage = operation({
  name: "getUsage",
  method: "get",
  path: "/v1/usage",
  access: "account",
  summary:
    "What AI work used and cost, grouped by day, month, model, feature, key or member. A member of an organization sees their own.",
  query: z.strictObject({
    accountId: id.optional(),
    from: instant.optional().describe("Default: 30 days ago"),
    to: instant.optional().describe("Not included; default: a second from now"),
    groupBy: z.enum(["day", "month", "model", "feature", "key", "member"]).default("day"),
  }),
  status: 200,
  answer: z.object({
    from: instantText,
    to: instantText,
    total: z.object({ amount: creditsText, requests: z.int(), inputTokens: z.int(), outputTokens: z.int() }),
    groups: z.array(
      z.object({
        group: z.string(),
        name: z.string().nullable().describe("Of a member, where the person is still known; else null"),
        amount: creditsText,
        requests: z.int(),
        inputTokens: z.int(),
        cachedInputTokens: z.int(),
        outputTokens: z.int(),
      }),
    ),
  }),
  errors: ["account_unknown"],
});

export const usageRecord = z.object({
  at: instantText,
  reference: z.string().describe("The operation's id; its receipt tells more"),
  model: z.string(),
  feature: z.string().nullable(),
  keyId: z.string().nullable(),
  inputTokens: z.int(),
  cachedInputTokens: z.int(),
  outputTokens: z.int(),
  amount: creditsText,
  priceVersion: z.int(),
  memberId: z.string().nullable().describe("Whose work it was; null: an API key's alone"),
});

export type UsageRecord = z.output<typeof usageRecord>;

export const exportUsage = operation({
  name: "exportUsage",
  method: "get",
  path: "/v1/usage/export",
  access: "account",
  summary:
    "Every charge for AI work of a calendar month (UTC), the oldest first, as one document. A member of an organization gets their own.",
  query: z.strictObject({
    accountId: id.optional(),
    month: z
      .string({ error: "must be a month, such as 2026-11" })
      .regex(/^2\d{3}-(0[1-9]|1[0-2])$/, "must be a month, such as 2026-11"),
    format: z.enum(["json", "csv"]).default("json"),
  }),
  status: 200,
  answer: z.object({ accountId: z.string(), month: z.string(), records: z.array(usageRecord) }),
  otherMedia: ["text/csv"],
  errors: ["account_unknown"],
});
