import type { Clock } from "@bursar/engine/clock/clock";
import type { Payments } from "@bursar/engine/payment/payments";
import type { Settings } from "../settings.ts";

interface SandboxStripe {
  readonly url: string;
  readonly secretKey: string;
  readonly webhookSecret: string;
}

/** The payment provider that is set, else the sandbox's, by the same way; null for none. */
export async function openProvider(
  settings: Pick<Settings, "stripe">,
  sandbox: SandboxStripe | null,
  clock: Clock,
): Promise<Payments | null> {
  const { stripe } = settings;
  if (stripe === null && sandbox === null) return null;
  const { openStripe } = await import("@bursar/stripe/open");
  if (stripe !== null) return openStripe(stripe);
  // The sandbox's Stripe signs by the sandbox's time.
  const { url, secretKey, webhookSecret } = sandbox!;
  return openStripe({ url, secretKey, webhookSecret, now: () => Math.floor(clock.now() / 1000) });
}
