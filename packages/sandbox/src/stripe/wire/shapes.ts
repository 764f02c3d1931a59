import { z } from "zod";

/** Parameters arrive as text; these say what text is right, in Stripe's words. */
export const text = z.string().max(5000);

/** "" removes what was there. */
export const removable = z
  .string()
  .max(5000)
  .transform((value) => (value === "" ? null : value));

export const integer = z.string().transform((value, context) => {
  if (/^-?\d{1,15}$/.test(value)) return Number(value);
  return refuse(context, value, `Invalid integer: ${value}`, "parameter_invalid_integer");
});

export const positive = integer.refine((value) => value >= 1, {
  error: "This value must be greater than or equal to 1.",
});

export const flag = z.string().transform((value, context) => {
  if (value === "true" || value === "false") return value === "true";
  return refuse(context, value, `Invalid boolean: ${value}`, null);
});

export function oneOf<const Values extends readonly [string, ...string[]]>(...values: Values) {
  return z.enum(values, { error: `must be one of ${values.join(", ")}` });
}

/** Names with text; "" for a name removes it, "" for the whole removes all. */
export const metadata = z.union([
  z.literal("").transform(() => null),
  z.record(z.string().max(40), z.string().max(500)),
]);

export const range = z.union([
  integer,
  z.strictObject({
    gt: integer.optional(),
    gte: integer.optional(),
    lt: integer.optional(),
    lte: integer.optional(),
  }),
]);

/** What every list takes. */
export const listing = {
  limit: integer
    .refine((value) => value >= 1 && value <= 100, { error: "limit must be between 1 and 100" })
    .optional(),
  starting_after: text.optional(),
  ending_before: text.optional(),
} as const;

export const address = z.strictObject({
  city: removable.optional(),
  country: removable.optional(),
  line1: removable.optional(),
  line2: removable.optional(),
  postal_code: removable.optional(),
  state: removable.optional(),
});

type Context = z.core.$RefinementCtx<string>;

function refuse(context: Context, input: string, message: string, code: string | null): never {
  context.issues.push({ code: "custom", message, input, params: { stripe: code } });
  return z.NEVER;
}
