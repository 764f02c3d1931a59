import type { Stripe } from "stripe";
import { newId, randomLetters } from "../ids.ts";
import { missing } from "../refusal.ts";
import { secondsOf, type World } from "../world.ts";

export interface NewIntent {
  readonly amount: number;
  readonly currency: string;
  readonly customer: string | null;
  readonly description?: string | null;
  readonly metadata?: Record<string, string>;
  readonly receiptEmail?: string | null;
  readonly setupFutureUsage?: "off_session" | "on_session" | null;
  readonly statementDescriptor?: string | null;
  readonly statementDescriptorSuffix?: string | null;
  /** null: whatever is allowed. */
  readonly types: readonly string[] | null;
}

/** A new intent that waits for a payment method. Nothing is told yet. */
export function createIntent(world: World, asked: NewIntent): Stripe.PaymentIntent {
  const intent = newIntent(world, asked);
  world.state.paymentIntents.set(intent.id, intent);
  return intent;
}

/** The same, before anybody knows of it. */
export function newIntent(world: World, asked: NewIntent): Stripe.PaymentIntent {
  const id = newId("pi");
  return {
    id,
    object: "payment_intent",
    allowed_payment_method_types: null,
    amount: asked.amount,
    amount_capturable: 0,
    amount_details: { tip: {} },
    amount_received: 0,
    application: null,
    application_fee_amount: null,
    automatic_payment_methods: asked.types === null ? { allow_redirects: "always", enabled: true } : null,
    canceled_at: null,
    cancellation_reason: null,
    capture_method: "automatic_async",
    client_secret: `${id}_secret_${randomLetters(25)}`,
    confirmation_method: "automatic",
    created: secondsOf(world),
    currency: asked.currency,
    customer: asked.customer,
    customer_account: null,
    description: asked.description ?? null,
    excluded_payment_method_types: null,
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    managed_payments: null,
    metadata: asked.metadata ?? {},
    next_action: null,
    on_behalf_of: null,
    payment_method: null,
    payment_method_configuration_details: null,
    payment_method_options: {},
    payment_method_types: [...(asked.types ?? ["card", "us_bank_account"])],
    payment_record: null,
    processing: null,
    receipt_email: asked.receiptEmail ?? null,
    review: null,
    setup_future_usage: asked.setupFutureUsage ?? null,
    shipping: null,
    source: null,
    statement_descriptor: asked.statementDescriptor ?? null,
    statement_descriptor_suffix: asked.statementDescriptorSuffix ?? null,
    status: "requires_payment_method",
    transfer_data: null,
    transfer_group: null,
  } satisfies Stripe.PaymentIntent;
}

/** Throws a refusal: there is no such intent. */
export function intentOf({ state }: World, id: string, param = "intent"): Stripe.PaymentIntent {
  const intent = state.paymentIntents.get(id);
  if (intent === undefined) throw missing("payment_intent", id, param);
  return intent;
}
