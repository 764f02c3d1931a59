import { z } from "zod";
import { describing } from "../catalogue/price.ts";
import { flag, integer, listing, metadata, oneOf, positive, range, removable, text } from "../wire/shapes.ts";

const item = z.strictObject({
  price: text.optional(),
  price_data: z
    .strictObject({
      ...describing,
      product: text.optional(),
      product_data: z
        .strictObject({ name: text, description: text.optional(), metadata: metadata.optional() })
        .optional(),
    })
    .optional(),
  quantity: positive.optional(),
});

const url = z.string().refine((value) => URL.canParse(value), { error: "Not a valid URL" });

const payment = z.strictObject({
  description: removable.optional(),
  metadata: metadata.optional(),
  receipt_email: removable.optional(),
  setup_future_usage: oneOf("off_session", "on_session").optional(),
  statement_descriptor: removable.optional(),
  statement_descriptor_suffix: removable.optional(),
});

const setup = z.strictObject({ description: removable.optional(), metadata: metadata.optional() });

const subscription = z.strictObject({
  description: removable.optional(),
  metadata: metadata.optional(),
  trial_period_days: positive.optional(),
});

export const creating = z.strictObject({
  mode: oneOf("payment", "setup", "subscription"),
  success_url: url,
  cancel_url: url.optional(),
  ui_mode: oneOf("hosted_page").optional(),
  line_items: z.array(item).min(1).max(100).optional(),
  currency: text.optional(),
  customer: text.optional(),
  customer_email: text.optional(),
  customer_creation: oneOf("always", "if_required").optional(),
  client_reference_id: z.string().max(200).optional(),
  metadata: metadata.optional(),
  expires_at: integer.optional(),
  payment_method_types: z.array(oneOf("card", "us_bank_account")).min(1).optional(),
  payment_intent_data: payment.optional(),
  setup_intent_data: setup.optional(),
  subscription_data: subscription.optional(),
  billing_address_collection: oneOf("auto", "required").optional(),
  locale: text.optional(),
  submit_type: oneOf("auto", "book", "donate", "pay", "subscribe").optional(),
  allow_promotion_codes: flag.optional(),
});

export type Creating = z.output<typeof creating>;

export const updating = z.strictObject({ metadata: metadata.optional() });

export const finding = z.strictObject({
  ...listing,
  created: range.optional(),
  customer: text.optional(),
  payment_intent: text.optional(),
  subscription: text.optional(),
  status: oneOf("complete", "expired", "open").optional(),
});
