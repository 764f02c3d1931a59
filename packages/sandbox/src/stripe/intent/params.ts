import { z } from "zod";
import { flag, integer, listing, metadata, oneOf, range, removable, text } from "../wire/shapes.ts";

const types = z.array(oneOf("card", "us_bank_account")).min(1);

const options = z.strictObject({
  card: z
    .strictObject({ request_three_d_secure: oneOf("any", "automatic", "challenge").optional() })
    .optional(),
  us_bank_account: z.strictObject({ verification_method: text.optional() }).optional(),
});

/** Who agreed to be charged later; taken, and not kept. */
export const mandate = z.strictObject({
  customer_acceptance: z.strictObject({
    type: oneOf("offline", "online"),
    accepted_at: integer.optional(),
    offline: z.union([z.literal(""), z.strictObject({})]).optional(),
    online: z.strictObject({ ip_address: text, user_agent: text }).optional(),
  }),
});

const confirming = {
  payment_method: text.optional(),
  off_session: z.union([flag, oneOf("one_off", "recurring").transform(() => true)]).optional(),
  return_url: z.url({ error: "Not a valid URL" }).optional(),
  error_on_requires_action: flag.optional(),
  use_stripe_sdk: flag.optional(),
  mandate_data: mandate.optional(),
  setup_future_usage: oneOf("off_session", "on_session").optional(),
  receipt_email: removable.optional(),
  payment_method_options: options.optional(),
  payment_method_types: types.optional(),
} as const;

const describing = {
  customer: text.optional(),
  description: removable.optional(),
  metadata: metadata.optional(),
  statement_descriptor: removable.optional(),
  statement_descriptor_suffix: removable.optional(),
} as const;

export const creating = z.strictObject({
  ...confirming,
  ...describing,
  amount: integer,
  currency: text,
  confirm: flag.optional(),
  capture_method: oneOf("automatic", "automatic_async").optional(),
  confirmation_method: oneOf("automatic").optional(),
  automatic_payment_methods: z
    .strictObject({ enabled: flag, allow_redirects: oneOf("always", "never").optional() })
    .optional(),
});

export const updating = z.strictObject({
  ...describing,
  amount: integer.optional(),
  currency: text.optional(),
  payment_method: text.optional(),
  receipt_email: removable.optional(),
  setup_future_usage: oneOf("off_session", "on_session").optional(),
});

export const confirmation = z.strictObject(confirming);

export const canceling = z.strictObject({
  cancellation_reason: oneOf("abandoned", "duplicate", "fraudulent", "requested_by_customer").optional(),
});

export const finding = z.strictObject({ ...listing, created: range.optional(), customer: text.optional() });
