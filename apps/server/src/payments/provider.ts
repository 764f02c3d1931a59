import type { Clock } from "@bursar/engine/clock/clock";
import type { Deps } from "@bursar/engine/deps";
import { customerOf, usableMethod } from "@bursar/engine/payment/methods";
import type { Payments } from "@bursar/engine/payment/payments";
import type { SubscriptionProvider } from "@bursar/engine/subscription/deps";
import type { StripeSettings } from "@bursar/stripe/settings";
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
  const stripe = stripeSettings(settings, sandbox, clock);
  if (stripe === null) return null;
  const { openStripe } = await import("@bursar/stripe/open");
  return openStripe(stripe);
}

/** What plans are sold by, at the same provider. `url`: our own, asked late. */
export async function openSubscriptions(
  settings: Pick<Settings, "stripe">,
  sandbox: SandboxStripe | null,
  engine: Pick<Deps, "pool" | "clock"> & { readonly payments: Payments | null },
  url: () => string,
): Promise<SubscriptionProvider | undefined> {
  const { pool, clock, payments } = engine;
  const stripe = stripeSettings(settings, sandbox, clock);
  if (stripe === null || payments === null) return undefined;
  const { openStripeSubscriptions } = await import("@bursar/stripe/subscription/open");
  const deps = { pool, clock, payments };
  return {
    payments: openStripeSubscriptions(stripe, () => `${url()}/pay/saved`),
    payer: {
      customerOf: (accountId) => customerOf(deps, accountId),
      methodOf: async (accountId) => (await usableMethod(deps, accountId))?.id ?? null,
    },
  };
}

/** Webhooks are fresh by the clock of everything else: the sandbox's Stripe signs by it, and a machine whose own is ahead
 *  would refuse all of the real one's. Only a sandbox that uses the real one goes by the machine's, for its time may have
 *  been moved. */
function stripeSettings(
  { stripe }: Pick<Settings, "stripe">,
  sandbox: SandboxStripe | null,
  clock: Clock,
): StripeSettings | null {
  const now = () => Math.floor(clock.now() / 1000);
  if (sandbox === null) return stripe === null ? null : { ...stripe, now };
  if (stripe !== null) return stripe;
  const { url, secretKey, webhookSecret } = sandbox;
  return { url, secretKey, webhookSecret, now };
}
