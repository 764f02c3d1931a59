import { z } from "zod";

/** What can be said against a dispute, as text. */
const FIELDS = [
  "access_activity_log",
  "billing_address",
  "cancellation_policy",
  "cancellation_policy_disclosure",
  "cancellation_rebuttal",
  "customer_communication",
  "customer_email_address",
  "customer_name",
  "customer_purchase_ip",
  "customer_signature",
  "duplicate_charge_documentation",
  "duplicate_charge_explanation",
  "duplicate_charge_id",
  "product_description",
  "receipt",
  "refund_policy",
  "refund_policy_disclosure",
  "refund_refusal_explanation",
  "service_date",
  "service_documentation",
  "shipping_address",
  "shipping_carrier",
  "shipping_date",
  "shipping_documentation",
  "shipping_tracking_number",
  "uncategorized_file",
  "uncategorized_text",
] as const;

type Field = (typeof FIELDS)[number];

export const NO_EVIDENCE = Object.fromEntries(FIELDS.map((name) => [name, null])) as Record<Field, null>;

const field = z
  .string()
  .max(150_000)
  .transform((value) => (value === "" ? null : value))
  .optional();

export const evidence = z.strictObject(
  Object.fromEntries(FIELDS.map((name) => [name, field])) as Record<Field, typeof field>,
);
