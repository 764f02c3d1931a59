import { z } from "zod";
import { currency, minorUnits, minorUnitsText } from "../fiat.ts";
import { operation } from "../operation.ts";
import {
  amountOrZero,
  creditsText,
  cursor,
  id,
  instantText,
  listLimit,
  positiveAmount,
  shortId,
} from "../shapes.ts";

/** A plan in the price book: credits each month, paid by the month or by the year. */
export const planBody = z.strictObject({
  id,
  name: z.string().min(1).max(100),
  interval: z.enum(["month", "year"]).default("month").describe("How it is paid; credits come each month"),
  credits: positiveAmount.describe("Each month"),
  bonus: amountOrZero.prefault("0").describe("Each month, on top"),
  rolloverMonths: z
    .int()
    .min(0)
    .max(12)
    .default(0)
    .describe("How many months longer than its own a month's credits last"),
  prices: z
    .strictObject({ eur: minorUnits.optional(), usd: minorUnits.optional(), jpy: minorUnits.optional() })
    .refine((prices) => Object.values(prices).some((price) => price !== undefined), "must name a price"),
});

export type PlanBody = z.output<typeof planBody>;

export const planList = z
  .array(planBody)
  .max(50)
  .superRefine((plans, context) => {
    const twice = plans.find((plan, index) => plans.findIndex((other) => other.id === plan.id) !== index);
    if (twice !== undefined) context.addIssue({ code: "custom", message: `"${twice.id}" is there twice` });
  });

const interval = z.enum(["month", "year"]);

const plan = z.object({
  id: z.string(),
  name: z.string(),
  interval,
  credits: creditsText.describe("Each month"),
  bonus: creditsText.describe("Each month, on top"),
  rolloverMonths: z.int(),
  prices: z.object({
    eur: minorUnitsText.optional(),
    usd: minorUnitsText.optional(),
    jpy: minorUnitsText.optional(),
  }),
});

export const listPlans = operation({
  name: "listPlans",
  method: "get",
  path: "/v1/plans",
  access: "account",
  summary: "The plans there are, by the price book in force.",
  query: z.strictObject({ accountId: id.optional() }),
  status: 200,
  answer: z.object({ plans: z.array(plan) }),
  errors: [],
});

const terms = z.object({
  id: z.string(),
  name: z.string(),
  interval,
  credits: creditsText,
  bonus: creditsText,
  amount: minorUnitsText,
});

const subscription = z.object({
  id: z.string(),
  state: z.enum(["starting", "active", "past_due", "ended", "failed"]),
  plan: terms.describe("What the current period was paid for"),
  renewsAs: terms.nullable().describe("What the next period will be; null: nothing"),
  currency,
  periodStart: instantText.nullable(),
  periodEnd: instantText.nullable(),
  cancelAtPeriodEnd: z.boolean(),
  graceUntil: instantText.nullable().describe("Unpaid until then, it ends"),
  url: z.string().nullable().describe("Where a person pays, while it is starting"),
  endReason: z.enum(["canceled", "unpaid", "declined", "abandoned"]).nullable(),
  createdAt: instantText,
  endedAt: instantText.nullable(),
});

export type SubscriptionAnswer = z.infer<typeof subscription>;

export const getSubscription = operation({
  name: "getSubscription",
  method: "get",
  path: "/v1/subscription",
  access: "account",
  summary: "The account's subscription, or the one that ended last.",
  query: z.strictObject({ accountId: id.optional() }),
  status: 200,
  answer: z.object({ subscription: subscription.nullable() }),
  errors: ["account_unknown"],
});

const providerErrors = ["payments_off", "payment_unavailable", "subscription_refused"] as const;
const one = z.object({ subscription });

export const subscribe = operation({
  name: "subscribe",
  method: "post",
  path: "/v1/subscription",
  access: "account",
  summary:
    "Begin a plan: with a saved payment method at once, else by a page to pay on. The id makes it once only.",
  body: z.strictObject({
    id: shortId.optional().describe("Your id for it; it is the idempotency key"),
    accountId: id.optional(),
    plan: id,
    currency,
    paymentMethod: z
      .union([z.literal("default"), z.literal("checkout"), id])
      .default("default")
      .describe("default: a saved one where there is one, else a page"),
    returnUrl: z.url({ protocol: /^https?$/, error: "must be an http:// or https:// URL" }).optional(),
  }),
  status: 201,
  answer: one,
  errors: [
    "account_unknown",
    "plan_unknown",
    "subscription_exists",
    "key_conflict",
    "payment_failed",
    ...providerErrors,
  ],
});

const changeBody = z.strictObject({ accountId: id.optional(), plan: id });

export const previewSubscription = operation({
  name: "previewSubscription",
  method: "post",
  path: "/v1/subscription/preview",
  access: "account",
  summary: "What a change of plan would cost and give, and when. Changes nothing.",
  body: changeBody,
  status: 200,
  answer: z.object({
    plan: terms,
    effective: z.enum(["now", "period_end"]),
    at: instantText.describe("When it takes effect"),
    dueNow: minorUnitsText.describe("Charged at once, prorated by the payment provider"),
    creditsNow: creditsText.describe("Granted at once, in proportion to what is charged"),
    currency,
  }),
  errors: ["plan_unknown", "subscription_unknown", ...providerErrors],
});

export const changeSubscription = operation({
  name: "changeSubscription",
  method: "patch",
  path: "/v1/subscription",
  access: "account",
  summary:
    "Change the plan: a dearer one at once, for the difference; any other from the next period on. Its preview tells beforehand.",
  body: changeBody,
  status: 200,
  answer: one,
  errors: ["plan_unknown", "subscription_unknown", "key_conflict", "payment_failed", ...providerErrors],
});

export const cancelSubscription = operation({
  name: "cancelSubscription",
  method: "delete",
  path: "/v1/subscription",
  access: "account",
  summary:
    "End it with the period that is paid for, or at once where its renewal is unpaid. Until then it can be resumed. No credits are taken.",
  query: z.strictObject({ accountId: id.optional() }),
  status: 200,
  answer: one,
  errors: ["subscription_unknown", ...providerErrors],
});

export const resumeSubscription = operation({
  name: "resumeSubscription",
  method: "post",
  path: "/v1/subscription/resume",
  access: "account",
  summary: "Let a subscription that was to end go on.",
  body: z.strictObject({ accountId: id.optional() }).optional(),
  status: 200,
  answer: one,
  errors: ["subscription_unknown", ...providerErrors],
});

const invoice = z.object({
  id: z.string(),
  number: z.string().nullable(),
  status: z.enum(["draft", "open", "paid", "void", "uncollectible"]),
  reason: z.enum(["create", "cycle", "update", "other"]),
  plan: z.string().nullable(),
  amountDue: minorUnitsText,
  amountPaid: minorUnitsText,
  refunded: minorUnitsText.describe("Paid back, or lost in disputes"),
  disputed: z.boolean().describe("A dispute is open: what is left of its credits is frozen"),
  paidAt: instantText.nullable(),
  paidWith: z.string().nullable().describe("Such as visa •••• 4242"),
  currency,
  periodStart: instantText,
  periodEnd: instantText,
  url: z.string().nullable(),
  pdfUrl: z.string().nullable().describe("The payment provider's; ours is at /v1/invoices/{id}/invoice.pdf"),
  createdAt: instantText,
});

export const listInvoices = operation({
  name: "listInvoices",
  method: "get",
  path: "/v1/invoices",
  access: "account",
  summary: "The invoices of the account's subscriptions, newest first.",
  query: z.strictObject({
    accountId: id.optional(),
    limit: listLimit(200, 50),
    cursor: cursor.optional(),
  }),
  status: 200,
  answer: z.object({ invoices: z.array(invoice), nextCursor: z.string().nullable() }),
  errors: ["account_unknown"],
});
