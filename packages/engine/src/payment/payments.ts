import type { Currency } from "@bursar/contract/fiat";
import type { AccountId, PaymentId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";

/** The engine's way to a payment provider. Expected outcomes are values; what could not be known is thrown.
 *  Every call that creates something carries an id of ours as the provider's idempotency key.
 *  All methods throw PaymentsUnavailable: the provider did not answer, or not sensibly. Whether it did anything is
 *  then unknown, and the same call may be made again. */
export interface Payments {
  createCustomer(request: { accountId: AccountId; name: string; creationId: string }): Promise<string>;
  /** A customer that was made for the account since then; null where there is none. */
  findCustomer(request: { accountId: AccountId; since: Instant }): Promise<string | null>;
  /** null: the customer has been deleted. */
  methods(customerId: string): Promise<PaymentMethod[] | null>;
  attach(customerId: string, token: string): Promise<AttachOutcome>;
  setDefault(customerId: string, methodId: string): Promise<void>;
  detach(methodId: string): Promise<void>;
  /** A page of the provider's on which a person saves a payment method. */
  setupPage(request: {
    accountId: AccountId;
    customerId: string;
    returnUrl: string;
    /** The idempotency key. */
    pageId: string;
  }): Promise<{ readonly url: string } | CustomerDeleted>;

  /** Charges a saved method without its owner being there. */
  charge(request: ChargeRequest): Promise<IntentRecord>;
  /** null: the provider knows no such payment. */
  intent(intentId: string): Promise<IntentRecord | null>;
  /** The payment that was made under this id, however long ago; null where there is none. */
  findIntent(request: {
    customerId: string;
    paymentId: PaymentId;
    since: Instant;
  }): Promise<IntentRecord | null>;
  /** What a payment of ours that is paid was for; null: it is not paid, or none of ours. */
  sale(intentId: string): Promise<Sale | null>;
  /** Where the owner of the method confirms the payment; null where there is nothing to confirm. */
  authenticationPage(intentId: string, returnUrl: string): Promise<string | null>;
  /** So that it can never be paid later. Does nothing to one that is paid. */
  cancel(intentId: string): Promise<void>;

  /** A page of the provider's to pay on. */
  openCheckout(
    request: CheckoutRequest,
  ): Promise<
    CheckoutRecord | { readonly kind: "refused"; readonly failure: PaymentFailure } | CustomerDeleted
  >;
  checkout(checkoutId: string): Promise<CheckoutRecord | null>;
  /** So that nobody can pay on it any more. Does nothing to one that is paid, or has expired. */
  closeCheckout(checkoutId: string): Promise<void>;

  refund(request: RefundRequest): Promise<RefundOutcome>;

  /** Reads an event that has come by itself. null: not signed by the provider for us, or stale. */
  verifyEvent(rawBody: string, signature: string): ProviderEvent | null;
  /** What the event is about, as far as it says. */
  subjectOf(body: unknown): EventSubject;
  event(eventId: string): Promise<ProviderEvent | null>;
  /** The provider's own record of what it has told since then, all of it, newest first. */
  eventsSince(since: Instant): AsyncIterable<ProviderEvent>;
}

/** The provider did not answer in time, or answered that something is wrong on its side. */
export class PaymentsUnavailable extends Error {
  override readonly name = "PaymentsUnavailable";
  /** It has answered that it failed. Under the same idempotency key it may answer the same for ever. */
  readonly hasAnswered: boolean;

  constructor(message: string, { hasAnswered = false }: { readonly hasAnswered?: boolean } = {}) {
    super(message);
    this.hasAnswered = hasAnswered;
  }
}

export interface PaymentMethod {
  readonly id: string;
  readonly type: string;
  readonly brand: string | null;
  readonly last4: string | null;
  /** YYYY-MM; a card is good through the last day of it. null: does not expire. */
  readonly expiresMonth: string | null;
  readonly isDefault: boolean;
}

export interface PaymentFailure {
  readonly code: string;
  readonly message: string;
}

export type AttachOutcome =
  | { readonly kind: "attached"; readonly method: PaymentMethod }
  | ({ readonly kind: "refused" } & PaymentFailure)
  | CustomerDeleted;

/** Whoever asks makes a new customer and asks again. */
export interface CustomerDeleted {
  readonly kind: "customer_deleted";
}

export interface ChargeRequest {
  readonly accountId: AccountId;
  readonly paymentId: PaymentId;
  readonly customerId: string;
  readonly paymentMethodId: string;
  readonly amount: number;
  readonly currency: Currency;
  readonly description: string;
  /** Kept with the payment at the provider, so that it can be known again: see `Sale`. */
  readonly kind: Sale["kind"];
  readonly credits: MicroCredits;
}

export interface CheckoutRequest extends Omit<ChargeRequest, "paymentMethodId"> {
  readonly returnUrl: string;
}

/** A payment as the provider knows it now. */
export interface IntentRecord {
  /** null: the provider refused to make one. */
  readonly intentId: string | null;
  readonly status: "succeeded" | "processing" | "requires_action" | "declined" | "canceled";
  readonly failure: PaymentFailure | null;
  readonly refunds: readonly RefundRecord[];
  readonly disputes: readonly DisputeRecord[];
}

export interface RefundRequest {
  /** The idempotency key. */
  readonly refundId: string;
  readonly intentId: string;
  readonly amount: number;
  /** Kept with the refund at the provider, so that it is there when the refund is seen. */
  readonly by: string;
  readonly reason: string;
}

export interface RefundRecord {
  readonly id: string;
  readonly amount: number;
  readonly hasFailed: boolean;
  /** The id under which it was asked for; null: it was made at the provider itself. */
  readonly requestId: string | null;
  /** null: it was made at the provider itself. */
  readonly by: string | null;
  readonly reason: string | null;
}

export interface DisputeRecord {
  readonly id: string;
  readonly amount: number;
  readonly state: "open" | "won" | "lost";
}

export interface CheckoutRecord {
  readonly checkoutId: string;
  readonly status: "open" | "complete" | "expired";
  readonly url: string | null;
  readonly intentId: string | null;
}

export type RefundOutcome = { readonly kind: "refunded" } | ({ readonly kind: "refused" } & PaymentFailure);

export interface ProviderEvent {
  readonly id: string;
  readonly type: string;
  readonly createdAt: Instant;
  /** The event as it came. */
  readonly body: unknown;
}

export interface EventSubject {
  readonly accountId: string | null;
  readonly paymentId: string | null;
  readonly intentId: string | null;
  readonly checkoutId: string | null;
  readonly customerId: string | null;
}

/** What a payment was for, as the provider keeps it. */
export interface Sale {
  /** Whose it is, and what it is called, here. */
  readonly accountId: string | null;
  readonly paymentId: string;
  readonly kind: "purchase" | "topup";
  /** null: it was made by a version that did not tell the provider. */
  readonly credits: MicroCredits | null;
  readonly amount: number;
  readonly currency: Currency;
  readonly createdAt: Instant;
  readonly chargedAt: Instant;
}
