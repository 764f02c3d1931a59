import { z } from "zod";
import { operation } from "../operation.ts";
import { creditsText, id, instant, instantText, note, oneLine, positiveAmount } from "../shapes.ts";

/** Any text of any length that a body may have: what is no code is answered like a code that nobody has made, so that
 *  guessing teaches nothing. */
export const code = z
  .string({ error: "must be a string" })
  // Postgres knows no text with NUL in it.
  .transform((text) => text.replaceAll("\u0000", "?"));

const batchFacts = {
  id: z.string(),
  name: z.string(),
  amount: creditsText.describe("Of one card"),
  count: z.int(),
  expiresAt: instantText.nullable().describe("Until when a card can be redeemed; its credits never expire"),
  createdAt: instantText,
  createdBy: z.string(),
};

const batch = z.object({ ...batchFacts, redeemed: z.int(), voided: z.int() });

export const redeemGiftCard = operation({
  name: "redeemGiftCard",
  method: "post",
  path: "/v1/gift-cards/redeem",
  access: "account",
  summary: "Turn a gift card into credits, once. The same account again gets the first answer.",
  body: z.strictObject({
    code: code.describe("XXXX-XXXX-XXXX; case, spaces and dashes do not matter"),
    accountId: id.optional(),
  }),
  status: 201,
  answer: z.object({ id: z.string(), grantId: z.string(), amount: creditsText }),
  errors: ["account_unknown", "code_unknown", "code_used", "code_void", "code_expired", "rate_limited"],
});

export const createGiftCards = operation({
  name: "createGiftCards",
  method: "post",
  path: "/v1/gift-cards",
  access: "admin",
  summary:
    "Make a batch of gift cards. The codes are shown once; only their hashes are kept. Repeated under an Idempotency-Key it names the batch that it has made, as key_conflict.",
  body: z.strictObject({
    count: z.int().min(1).max(1000),
    amount: positiveAmount.describe("Credits of each card"),
    name: oneLine(100).optional().describe("To recognise the batch by"),
    expiresAt: instant.nullable().optional(),
  }),
  status: 201,
  answer: z.object({
    ...batchFacts,
    cards: z.array(z.object({ id: z.string(), code: z.string() })),
    csv: z.string().describe("The same as a file: id,code,amount,expires_at"),
  }),
  errors: ["key_conflict"],
});

export const listGiftBatches = operation({
  name: "listGiftBatches",
  method: "get",
  path: "/v1/gift-batches",
  access: "admin",
  summary: "The batches of gift cards, the latest first, and what has become of them.",
  status: 200,
  answer: z.object({ batches: z.array(batch) }),
  errors: [],
});

export const getGiftBatch = operation({
  name: "getGiftBatch",
  method: "get",
  path: "/v1/gift-batches/{id}",
  access: "admin",
  summary: "One batch, card by card, without the codes.",
  params: z.object({ id }),
  status: 200,
  answer: batch.extend({
    cards: z.array(
      z.object({
        id: z.string(),
        state: z.enum(["open", "redeemed", "void"]),
        redeemedBy: z.string().nullable().describe("The account"),
        redeemedAt: instantText.nullable(),
        voidReason: z.string().nullable(),
      }),
    ),
  }),
  errors: ["gift_unknown"],
});

export const voidGiftCards = operation({
  name: "voidGiftCards",
  method: "post",
  path: "/v1/gift-cards/{id}/void",
  access: "admin",
  summary: "End a card, or a whole batch by its id. What was redeemed stays with who redeemed it.",
  params: z.object({ id }),
  body: z.strictObject({ reason: note }),
  status: 200,
  answer: z.object({
    id: z.string(),
    voided: z.int().describe("Cards that are void now"),
    redeemed: z.int(),
  }),
  errors: ["gift_unknown"],
});
