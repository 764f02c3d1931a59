import { z } from "zod";
import { describing, recurring } from "../catalogue/price.ts";
import { flag, integer, listing, metadata, oneOf, positive, range, removable, text } from "../wire/shapes.ts";

const described = z.strictObject({ ...describing, recurring, product: text });

export const itemShape = z.strictObject({
  price: text.optional(),
  price_data: described.optional(),
  quantity: positive.optional(),
  metadata: metadata.optional(),
});

export const itemChange = z.strictObject({
  id: text.optional(),
  price: text.optional(),
  price_data: described.optional(),
  quantity: positive.optional(),
  deleted: flag.optional(),
  metadata: metadata.optional(),
});

const payments = z.strictObject({
  save_default_payment_method: oneOf("off", "on_subscription").optional(),
});

const endOfTrial = z.union([z.literal("now"), integer]);
const prorating = oneOf("always_invoice", "create_prorations", "none");
const feedback = z.strictObject({ comment: removable.optional(), feedback: text.optional() });

export const creating = z.strictObject({
  customer: text,
  items: z.array(itemShape).min(1).max(20),
  currency: text.optional(),
  default_payment_method: text.optional(),
  description: removable.optional(),
  metadata: metadata.optional(),
  payment_behavior: oneOf("allow_incomplete", "default_incomplete", "error_if_incomplete").optional(),
  payment_settings: payments.optional(),
  off_session: flag.optional(),
  cancel_at_period_end: flag.optional(),
  collection_method: oneOf("charge_automatically").optional(),
  proration_behavior: prorating.optional(),
  trial_end: endOfTrial.optional(),
  trial_period_days: positive.optional(),
});

export const updating = z.strictObject({
  items: z.array(itemChange).max(20).optional(),
  default_payment_method: removable.optional(),
  description: removable.optional(),
  metadata: metadata.optional(),
  payment_behavior: oneOf("allow_incomplete", "error_if_incomplete").optional(),
  payment_settings: payments.optional(),
  off_session: flag.optional(),
  cancel_at_period_end: flag.optional(),
  cancel_at: z.union([z.literal("").transform(() => null), integer]).optional(),
  cancellation_details: feedback.optional(),
  billing_cycle_anchor: oneOf("now", "unchanged").optional(),
  proration_behavior: prorating.optional(),
  proration_date: integer.optional(),
  trial_end: z.literal("now", { error: "must be now" }).optional(),
});

export type Updating = z.output<typeof updating>;

export const canceling = z.strictObject({
  cancellation_details: feedback.optional(),
  invoice_now: flag.optional(),
  prorate: flag.optional(),
});

export const previewing = z.strictObject({
  customer: text.optional(),
  subscription: text.optional(),
  currency: text.optional(),
  subscription_details: z
    .strictObject({
      items: z.array(itemChange).max(20).optional(),
      cancel_at_period_end: flag.optional(),
      billing_cycle_anchor: oneOf("now", "unchanged").optional(),
      proration_behavior: prorating.optional(),
      proration_date: integer.optional(),
      trial_end: z.literal("now", { error: "must be now" }).optional(),
    })
    .optional(),
});

export const findingSubscriptions = z.strictObject({
  ...listing,
  customer: text.optional(),
  price: text.optional(),
  status: oneOf(
    "active",
    "all",
    "canceled",
    "ended",
    "incomplete",
    "incomplete_expired",
    "past_due",
    "trialing",
    "unpaid",
  ).optional(),
  created: range.optional(),
});

export const findingInvoices = z.strictObject({
  ...listing,
  customer: text.optional(),
  subscription: text.optional(),
  status: oneOf("draft", "open", "paid", "uncollectible", "void").optional(),
  created: range.optional(),
});
