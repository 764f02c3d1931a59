import type { Stripe } from "stripe";
import { newId, randomLetters } from "../ids.ts";
import { missing } from "../refusal.ts";
import { secondsOf, type World } from "../world.ts";

export interface NewSetup {
  readonly customer: string | null;
  readonly description?: string | null;
  readonly metadata?: Record<string, string>;
  readonly usage?: "off_session" | "on_session";
  /** null: whatever is allowed. */
  readonly types: readonly string[] | null;
}

/** A new SetupIntent that waits for a payment method. Nothing is told yet. */
export function createSetup(world: World, asked: NewSetup): Stripe.SetupIntent {
  const id = newId("seti");
  const setup = {
    id,
    object: "setup_intent",
    allowed_payment_method_types: null,
    application: null,
    automatic_payment_methods: asked.types === null ? { allow_redirects: "always", enabled: true } : null,
    cancellation_reason: null,
    client_secret: `${id}_secret_${randomLetters(25)}`,
    created: secondsOf(world),
    customer: asked.customer,
    customer_account: null,
    description: asked.description ?? null,
    excluded_payment_method_types: null,
    flow_directions: null,
    last_setup_error: null,
    latest_attempt: null,
    livemode: false,
    mandate: null,
    metadata: asked.metadata ?? {},
    next_action: null,
    on_behalf_of: null,
    payment_method: null,
    payment_method_configuration_details: null,
    payment_method_options: {},
    payment_method_types: [...(asked.types ?? ["card", "us_bank_account"])],
    single_use_mandate: null,
    status: "requires_payment_method",
    usage: asked.usage ?? "off_session",
  } satisfies Stripe.SetupIntent;
  world.state.setupIntents.set(id, setup);
  return setup;
}

/** Throws a refusal: there is no such SetupIntent. */
export function setupOf({ state }: World, id: string, param = "setup_intent"): Stripe.SetupIntent {
  const setup = state.setupIntents.get(id);
  if (setup === undefined) throw missing("setupintent", id, param);
  return setup;
}
