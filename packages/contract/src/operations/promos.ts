import { z } from "zod";
import { operation } from "../operation.ts";
import { amountOrZero, creditsText, id, instant, instantText, positiveAmount } from "../shapes.ts";
import { code } from "./gifts.ts";

const promoCode = z
  .string()
  .trim()
  .toUpperCase()
  .regex(/^[A-Z0-9][A-Z0-9-]{2,39}$/, "must be 3 to 40 letters, digits or dashes, such as WELCOME-2027");

const promo = z.object({
  code: z.string(),
  amount: creditsText,
  limit: z.int().nullable().describe("How many accounts may redeem it; null: any number"),
  redeemed: z.int(),
  minimumPurchased: creditsText.describe("Credits that an account must have bought before"),
  creditsLastDays: z.int().nullable().describe("Days until the credits expire; null: never"),
  expiresAt: instantText.nullable().describe("Until when it can be redeemed"),
  disabledAt: instantText.nullable(),
  createdAt: instantText,
  createdBy: z.string(),
});

export const redeemPromoCode = operation({
  name: "redeemPromoCode",
  method: "post",
  path: "/v1/promo-codes/redeem",
  access: "account",
  summary:
    "Redeem a promo code, once an account, and for no organization. The same account again gets the first answer.",
  body: z.strictObject({ code, accountId: id.optional() }),
  status: 201,
  answer: z.object({
    code: z.string(),
    grantId: z.string(),
    amount: creditsText,
    expiresAt: instantText.nullable(),
  }),
  errors: [
    "person_required",
    "account_unknown",
    "code_unknown",
    "code_void",
    "code_expired",
    "code_used",
    "minimum_not_met",
    "rate_limited",
  ],
});

export const createPromoCode = operation({
  name: "createPromoCode",
  method: "post",
  path: "/v1/promo-codes",
  access: "admin",
  summary: "Make a promo code. Its terms never change; a code that must end early is disabled.",
  body: z.strictObject({
    code: promoCode,
    amount: positiveAmount,
    limit: z.int().min(1).max(1_000_000_000).nullable().default(null),
    minimumPurchased: amountOrZero.default(0n),
    creditsLastDays: z.int().min(1).max(3650).nullable().default(null),
    expiresAt: instant.nullable().default(null),
  }),
  status: 201,
  answer: promo,
  errors: ["promo_exists"],
});

export const listPromoCodes = operation({
  name: "listPromoCodes",
  method: "get",
  path: "/v1/promo-codes",
  access: "admin",
  summary: "The promo codes, the latest first, and how often each was redeemed.",
  status: 200,
  answer: z.object({ promos: z.array(promo) }),
  errors: [],
});

export const disablePromoCode = operation({
  name: "disablePromoCode",
  method: "post",
  path: "/v1/promo-codes/{id}/disable",
  access: "admin",
  summary: "End a promo code. What was redeemed stays.",
  params: z.object({ id: promoCode }),
  status: 200,
  answer: promo,
  errors: ["promo_unknown"],
});
