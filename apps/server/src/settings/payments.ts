import { z } from "zod";
import { SettingsError } from "./error.ts";
import { httpUrl } from "./url.ts";

/** How to reach Stripe; `url` where it is not Stripe's own address. */
export interface StripeAccess {
  readonly secretKey: string;
  readonly webhookSecret: string;
  readonly url?: string;
}

export const paymentVariables = {
  STRIPE_SECRET_KEY: z
    .string()
    .regex(/^[sr]k_(test|live)_/, "must be a Stripe secret key, sk_…")
    .optional(),
  STRIPE_WEBHOOK_SECRET: z
    .string()
    .regex(/^whsec_/, "must be a webhook's signing secret, whsec_…")
    .optional(),
  STRIPE_API_URL: httpUrl.optional(),
  BURSAR_TOPUP_WAIT_SECONDS: z.coerce
    .number({ error: "must be a number of seconds from 0 to 60" })
    .min(0)
    .max(60)
    .default(10),
};

type PaymentVariables = z.output<z.ZodObject<typeof paymentVariables>>;

/** A key of the wrong kind would take real money in a sandbox, or none in earnest. */
export function stripeFrom(data: PaymentVariables, mode: "sandbox" | "live"): StripeAccess | null {
  const { STRIPE_SECRET_KEY: secretKey, STRIPE_WEBHOOK_SECRET: webhookSecret, STRIPE_API_URL: url } = data;
  if (secretKey === undefined && webhookSecret === undefined) return null;
  if (secretKey === undefined)
    throw new SettingsError("STRIPE_SECRET_KEY: is required with STRIPE_WEBHOOK_SECRET");
  if (webhookSecret === undefined)
    throw new SettingsError("STRIPE_WEBHOOK_SECRET: is required with STRIPE_SECRET_KEY, whsec_…");
  const isLive = /^.k_live_/.test(secretKey);
  if (isLive !== (mode === "live"))
    throw new SettingsError(
      `STRIPE_SECRET_KEY: is a ${isLive ? "live" : "test"} key, which ${mode} mode refuses`,
    );
  return { secretKey, webhookSecret, ...(url === undefined ? {} : { url }) };
}
