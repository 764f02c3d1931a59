import { z } from "zod";
import { currency, minorUnitsText } from "../fiat.ts";
import { operation } from "../operation.ts";
import { creditsText, cursor, id, instantText, listLimit, note, positiveAmount, shortId } from "../shapes.ts";
import { attemptState } from "./topup.ts";

const accountQuery = z.strictObject({ accountId: id.optional() });
const url = z.url({ protocol: /^https?$/, error: "must be an http:// or https:// URL" });

const paymentMethod = z.object({
  id: z.string(),
  type: z.string(),
  brand: z.string().nullable(),
  last4: z.string().nullable(),
  expiresMonth: z.string().nullable().describe("YYYY-MM; good through its last day"),
  usable: z.boolean(),
  isDefault: z.boolean(),
});

export const listPaymentMethods = operation({
  name: "listPaymentMethods",
  method: "get",
  path: "/v1/payment-methods",
  access: "account",
  summary: "The account's saved payment methods, as the payment provider knows them.",
  query: accountQuery,
  status: 200,
  answer: z.object({ paymentMethods: z.array(paymentMethod) }),
  errors: ["account_unknown", "payments_off", "payment_unavailable"],
});

export const addPaymentMethod = operation({
  name: "addPaymentMethod",
  method: "post",
  path: "/v1/payment-methods",
  access: "account",
  summary:
    "Save a payment method by the provider's token (in the sandbox pm_card_visa and its kin), or without one: a page to enter it.",
  body: z.strictObject({
    accountId: id.optional(),
    paymentMethod: id.optional(),
    returnUrl: url.optional(),
  }),
  status: 201,
  answer: z.object({ paymentMethod: paymentMethod.nullable(), url: z.string().nullable() }),
  errors: ["account_unknown", "payments_off", "payment_method_refused", "payment_unavailable"],
});

export const setDefaultPaymentMethod = operation({
  name: "setDefaultPaymentMethod",
  method: "put",
  path: "/v1/payment-methods/default",
  access: "account",
  summary: "Choose the payment method that is charged first.",
  body: z.strictObject({ accountId: id.optional(), paymentMethod: id }),
  status: 200,
  answer: z.object({ paymentMethods: z.array(paymentMethod) }),
  errors: ["account_unknown", "payments_off", "payment_method_unknown", "payment_unavailable"],
});

export const removePaymentMethod = operation({
  name: "removePaymentMethod",
  method: "delete",
  path: "/v1/payment-methods",
  access: "account",
  summary: "Forget a payment method.",
  body: z.strictObject({ accountId: id.optional(), paymentMethod: id }),
  status: 200,
  answer: z.object({ paymentMethods: z.array(paymentMethod) }),
  errors: ["account_unknown", "payments_off", "payment_method_unknown", "payment_unavailable"],
});

const fiatPrices = z.partialRecord(currency, minorUnitsText);
const sold = z.object({
  id: z.string(),
  name: z.string().nullable(),
  credits: creditsText,
  prices: fiatPrices,
  recommended: z.boolean(),
  monthlyBonus: creditsText,
});

export const listPacks = operation({
  name: "listPacks",
  method: "get",
  path: "/v1/packs",
  access: "account",
  summary:
    "What credits cost: tiers, packs, the smallest and the largest purchase. Bought credits never expire.",
  query: z.strictObject({
    accountId: id.optional(),
    credits: positiveAmount.optional().describe("Also the price of this amount"),
  }),
  status: 200,
  answer: z.object({
    minimum: creditsText,
    maximum: creditsText,
    expiresAt: z.null().describe("Never"),
    tiers: z.array(sold),
    packs: z.array(sold),
    quote: z.object({ credits: creditsText, prices: fiatPrices }).nullable(),
  }),
  errors: ["not_for_sale"],
});

export const payment = z.object({
  id: z.string(),
  kind: z.enum(["purchase", "topup"]),
  state: attemptState,
  credits: creditsText,
  amount: minorUnitsText,
  currency,
  grantId: z.string(),
  expiresAt: z.null().describe("Bought credits never expire"),
  refunded: minorUnitsText,
  refunds: z.array(
    z.object({
      id: z.string(),
      amount: minorUnitsText,
      credits: creditsText,
      failed: z.boolean(),
      at: instantText,
      by: z.string().nullable().describe("null: made at the payment provider"),
      reason: z.string().nullable(),
    }),
  ),
  disputed: z.boolean(),
  url: z.string().nullable().describe("Where a person pays or confirms, while that is open"),
  failure: z.object({ code: z.string(), message: z.string() }).nullable(),
  createdAt: instantText,
  endedAt: instantText.nullable(),
});

export const createPurchase = operation({
  name: "createPurchase",
  method: "post",
  path: "/v1/purchases",
  access: "account",
  summary:
    "Buy a tier, a pack or an amount of credits: with a saved payment method at once, else by a page to pay on. The id makes it once only.",
  body: z
    .strictObject({
      accountId: id.optional(),
      id: shortId.optional(),
      pack: id.optional(),
      credits: positiveAmount.optional(),
      currency,
      paymentMethod: z
        .union([z.literal("default"), z.literal("checkout"), id])
        .optional()
        .describe("Absent: the default one where there is one, else a page to pay on"),
      returnUrl: url.optional(),
    })
    .superRefine((body, context) => {
      if ((body.pack === undefined) !== (body.credits === undefined)) return;
      context.addIssue({ code: "custom", path: ["pack"], message: "give exactly one of pack and credits" });
    }),
  status: 201,
  answer: payment,
  errors: [
    "account_unknown",
    "payments_off",
    "not_for_sale",
    "payment_failed",
    "payment_method_unknown",
    "payment_unavailable",
    "key_conflict",
  ],
});

export const listPayments = operation({
  name: "listPayments",
  method: "get",
  path: "/v1/payments",
  access: "account",
  summary: "Purchases and top-ups, newest first.",
  query: z.strictObject({
    accountId: id.optional(),
    limit: listLimit(200, 50),
    cursor: cursor.optional(),
  }),
  status: 200,
  answer: z.object({ payments: z.array(payment), nextCursor: z.string().nullable() }),
  errors: ["account_unknown"],
});

export const getPayment = operation({
  name: "getPayment",
  method: "get",
  path: "/v1/payments/{id}",
  access: "account",
  summary: "One payment.",
  params: z.object({ id }),
  query: accountQuery,
  status: 200,
  answer: payment,
  errors: ["account_unknown", "payment_unknown"],
});

export const refundPayment = operation({
  name: "refundPayment",
  method: "post",
  path: "/v1/payments/{id}/refund",
  access: "admin",
  summary:
    "Pay back some or all of a payment. Its credits go in proportion: first what is left of them, the rest becomes debt.",
  params: z.object({ id }),
  body: z.strictObject({
    accountId: id,
    amount: z.int().min(1).optional().describe("In the currency's minor unit; absent: all that is left"),
    reason: note,
    id: id.optional(),
  }),
  status: 200,
  answer: payment,
  errors: [
    "account_unknown",
    "payment_unknown",
    "key_conflict",
    "refund_refused",
    "payments_off",
    "payment_unavailable",
  ],
});

export const refundUnused = operation({
  name: "refundUnused",
  method: "post",
  path: "/v1/payments/{id}/refund-unused",
  access: "account",
  summary:
    "Give unused credits of a purchase back within 14 days, for money in proportion. For its owner, signed in, or an admin key.",
  params: z.object({ id }),
  body: z.strictObject({
    accountId: id.optional(),
    id: shortId.optional(),
  }),
  status: 200,
  answer: payment,
  errors: [
    "payment_unknown",
    "key_conflict",
    "refund_refused",
    "person_required",
    "payments_off",
    "payment_unavailable",
  ],
});

const event = z.object({
  id: z.string(),
  type: z.string(),
  state: z.enum(["waiting", "done", "ignored", "parked"]),
  attempts: z.int(),
  lastError: z.string().nullable(),
  createdAt: instantText.describe("At the provider"),
  receivedAt: instantText,
  processedAt: instantText.nullable(),
});

export const listEvents = operation({
  name: "listEvents",
  method: "get",
  path: "/v1/events",
  access: "admin",
  summary: "The payment provider's events, newest first; parked ones could not be processed.",
  query: z.strictObject({
    state: z.enum(["waiting", "done", "ignored", "parked"]).optional(),
    limit: listLimit(200, 50),
    cursor: cursor.optional(),
  }),
  status: 200,
  answer: z.object({ events: z.array(event), nextCursor: z.string().nullable() }),
  errors: [],
});

export const resendEvent = operation({
  name: "resendEvent",
  method: "post",
  path: "/v1/events/{id}/resend",
  access: "admin",
  summary: "Process an event again; from the provider, where it never arrived here.",
  params: z.object({ id }),
  status: 200,
  answer: event,
  errors: ["event_unknown", "payments_off", "payment_unavailable"],
});
