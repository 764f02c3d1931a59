import type { Stripe } from "stripe";
import type { Line } from "./billing/line.ts";
import type { WirePrice } from "./catalogue/wire-price.ts";
import type { SessionPlan } from "./checkout/plan.ts";
import type { Delivery } from "./event/delivery.ts";
import type { SavedAnswer } from "./wire/saved-answer.ts";

/** Everything this Stripe knows, by id and in order of creation. Nothing but maps of JSON, so that it can be kept. */
export interface State {
  readonly customers: Map<string, Stripe.Customer>;
  readonly deletedCustomers: Map<string, Stripe.DeletedCustomer>;
  readonly paymentMethods: Map<string, Stripe.PaymentMethod>;
  readonly paymentIntents: Map<string, Stripe.PaymentIntent>;
  readonly setupIntents: Map<string, Stripe.SetupIntent>;
  readonly charges: Map<string, Stripe.Charge>;
  readonly refunds: Map<string, Stripe.Refund>;
  /** Refunds whose outcome comes later. */
  readonly refundOutcomes: Map<string, { readonly dueAt: number; readonly succeeds: boolean }>;
  readonly disputes: Map<string, Stripe.Dispute>;
  /** Charges whose holder will dispute them, with the reason. */
  readonly expectedDisputes: Map<string, string>;
  /** Disputes whose evidence decides them. */
  readonly decidedDisputes: Map<string, "lost" | "won">;
  readonly balanceTransactions: Map<string, Stripe.BalanceTransaction>;
  readonly products: Map<string, Stripe.Product>;
  readonly prices: Map<string, WirePrice>;
  /** What a price is in other currencies than its own, in minor units. */
  readonly currencyOptions: Map<string, Readonly<Record<string, number>>>;
  readonly sessions: Map<string, Stripe.Checkout.Session>;
  readonly sessionPlans: Map<string, SessionPlan>;
  readonly subscriptions: Map<string, Stripe.Subscription>;
  /** What a subscription's next invoice asks for besides its period. */
  readonly pendingLines: Map<string, readonly Line[]>;
  readonly invoices: Map<string, Stripe.Invoice>;
  readonly invoicePayments: Map<string, Stripe.InvoicePayment>;
  readonly events: Map<string, Stripe.EventBase>;
  readonly webhookEndpoints: Map<string, Stripe.WebhookEndpoint>;
  /** The signing secret of each endpoint. */
  readonly endpointSecrets: Map<string, string>;
  readonly deliveries: Map<string, Delivery>;
  readonly savedAnswers: Map<string, SavedAnswer>;
  /** The number whose behaviour a payment method has. */
  readonly numbers: Map<string, string>;
  /** Payment methods that a person has authenticated for later. */
  readonly authenticated: Map<string, true>;
  /** Payment methods that were detached, or used without a customer, and may not be used again. */
  readonly spent: Map<string, true>;
  /** PaymentIntents under way whose outcome comes later: when (milliseconds), and what it will be. */
  readonly outcomes: Map<string, { readonly dueAt: number; readonly decline: string | null }>;
}

export function emptyState(): State {
  return {
    customers: new Map(),
    deletedCustomers: new Map(),
    paymentMethods: new Map(),
    paymentIntents: new Map(),
    setupIntents: new Map(),
    charges: new Map(),
    refunds: new Map(),
    refundOutcomes: new Map(),
    disputes: new Map(),
    expectedDisputes: new Map(),
    decidedDisputes: new Map(),
    balanceTransactions: new Map(),
    products: new Map(),
    prices: new Map(),
    currencyOptions: new Map(),
    sessions: new Map(),
    sessionPlans: new Map(),
    subscriptions: new Map(),
    pendingLines: new Map(),
    invoices: new Map(),
    invoicePayments: new Map(),
    events: new Map(),
    webhookEndpoints: new Map(),
    endpointSecrets: new Map(),
    deliveries: new Map(),
    savedAnswers: new Map(),
    numbers: new Map(),
    authenticated: new Map(),
    spent: new Map(),
    outcomes: new Map(),
  };
}
