import { z } from "zod";
import { operation } from "../operation.ts";
import { creditsText, id, instant, instantText, oneLine, positiveAmount } from "../shapes.ts";

const CAP_WINDOWS = ["total", "day", "month"] as const;

const keyState = z.object({
  id: z.string(),
  accountId: z.string().nullable().describe("null for an admin key"),
  name: z.string(),
  prefix: z.string().describe("The key's first characters, to recognise it by"),
  capAmount: creditsText.nullable(),
  capUsed: creditsText.describe("Within the present window"),
  capWindow: z.enum(CAP_WINDOWS),
  expiresAt: instantText.nullable(),
  revokedAt: instantText.nullable(),
  lastUsedAt: instantText.nullable(),
  createdAt: instantText,
});

export const createKey = operation({
  name: "createKey",
  method: "post",
  path: "/v1/keys",
  access: "admin",
  summary:
    "Create an API key for an account. The key is shown once; only its hash is kept. The same Idempotency-Key again makes no other: key_conflict then tells keyId and prefix of the first.",
  body: z.strictObject({
    accountId: id,
    name: oneLine(100).optional(),
    capAmount: positiveAmount.optional().describe("The most this key may ever use, holds included"),
    capWindow: z.enum(CAP_WINDOWS).default("total"),
    expiresAt: instant.optional(),
  }),
  status: 201,
  answer: z.object({ id: z.string(), key: z.string(), prefix: z.string() }),
  errors: ["account_unknown", "key_conflict"],
});

export const listKeys = operation({
  name: "listKeys",
  method: "get",
  path: "/v1/keys",
  access: "admin",
  summary: "The keys of an account, or all of them.",
  query: z.strictObject({ accountId: id.optional() }),
  status: 200,
  answer: z.object({ keys: z.array(keyState) }),
  errors: ["account_unknown"],
});

export const revokeKey = operation({
  name: "revokeKey",
  method: "delete",
  path: "/v1/keys/{id}",
  access: "admin",
  summary: "Revoke a key, effective with the next request.",
  params: z.object({ id }),
  status: 200,
  answer: z.object({ id: z.string(), revokedAt: instantText }),
  errors: ["key_unknown"],
});
