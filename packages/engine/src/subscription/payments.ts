import type { Currency } from "@bursar/contract/fiat";
import type { AccountId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { PlanTerms, SubscriptionId } from "./subscription.ts";

/** The engine's way to a provider that charges by the month or the year. Expected outcomes are values. Every call that
 *  creates or charges something carries an id of ours as the provider's idempotency key.
 *  All methods throw PaymentsUnavailable: the provider did not answer, or not sensibly. Whether it did anything is
 *  then unknown, and the same call may be made again. */
export interface SubscriptionPayments {
  /** Begins by charging a saved method. */
  subscribe(request: StartRequest & { readonly methodId: string }): Promise<StartOutcome>;
  /** A page of the provider's to begin on. */
  openPage(request: StartRequest & { readonly returnUrl: string | null }): Promise<PageRecord | Refused>;
  page(pageId: string): Promise<PageRecord | null>;
  /** So that nobody can begin on it any more. Does nothing to one that is complete. */
  closePage(pageId: string): Promise<void>;

  /** null: the provider knows no such subscription. */
  subscription(providerId: string): Promise<SubscriptionRecord | null>;
  /** What a change would charge now, in the currency's minor unit. */
  preview(request: ChangeRequest): Promise<number | Refused>;
  /** `charges`: at once, for the difference, and not at all where that cannot be charged; else from the next period on. */
  change(
    request: ChangeRequest & { readonly changeId: string; readonly charges: boolean },
  ): Promise<ChangeOutcome>;
  /** Changes nothing about one that has ended. */
  setCancelAtPeriodEnd(providerId: string, isCanceled: boolean): Promise<void>;
  /** From now on it is charged on the customer's default method. */
  followDefault(providerId: string): Promise<void>;
  /** Ends it at once, without giving money back. */
  end(providerId: string): Promise<SubscriptionRecord>;

  invoice(invoiceId: string): Promise<InvoiceRecord | null>;
  /** The invoice that a payment was for; null: for none. */
  invoiceOfPayment(intentId: string): Promise<string | null>;
  /** Newest first, at most 100; how they were paid and what was taken back of them is not asked. */
  invoices(providerId: string): Promise<InvoiceRecord[]>;

  /** Whether an event says that a customer's default method has changed, or that a method is no customer's any more. */
  methodChangeOf(body: unknown): MethodChange | null;
  /** What an event of the provider's is about; null: about no subscription and no invoice. */
  subjectOf(body: unknown): { readonly kind: "invoice" | "subscription"; readonly id: string } | null;
}

export interface MethodChange {
  readonly customerId: string;
  /** null: another one is the default now. */
  readonly removed: string | null;
  readonly at: Instant;
}

/** Who pays, and with what. */
export interface Payer {
  /** The provider's customer, made when first needed; null: there is no such account. */
  customerOf(accountId: AccountId): Promise<string | null>;
  /** The saved method that is charged first; null: there is none. */
  methodOf(accountId: AccountId): Promise<string | null>;
}

export interface StartRequest {
  readonly accountId: AccountId;
  readonly subscriptionId: SubscriptionId;
  readonly customerId: string;
  readonly terms: PlanTerms;
  readonly currency: Currency;
}

export interface Refused {
  readonly kind: "refused";
  readonly code: string;
  readonly message: string;
}

export type StartOutcome =
  | { readonly kind: "started"; readonly record: SubscriptionRecord }
  /** The bank wants to see its customer: only a page will do. */
  | { readonly kind: "needs_page" }
  | Refused;

export interface PageRecord {
  readonly pageId: string;
  readonly status: "open" | "complete" | "expired";
  readonly url: string | null;
  /** Once complete. */
  readonly providerId: string | null;
}

export interface ChangeRequest {
  readonly providerId: string;
  readonly terms: PlanTerms;
  readonly currency: Currency;
}

export type ChangeOutcome =
  | { readonly kind: "changed"; readonly record: SubscriptionRecord }
  /** The change's id was used before for another one. */
  | { readonly kind: "key_conflict" }
  | Refused;

/** A subscription as the provider knows it now. */
export interface SubscriptionRecord {
  readonly providerId: string;
  /** Ours, as it was told when it was made; null: it is none of ours. */
  readonly subscriptionId: SubscriptionId | null;
  readonly accountId: AccountId | null;
  readonly status: "incomplete" | "active" | "past_due" | "canceled";
  /** What the next invoice will be for. */
  readonly planId: string | null;
  /** null: nothing is sold in it here. */
  readonly currency: Currency | null;
  readonly periodStart: Instant;
  readonly periodEnd: Instant;
  readonly cancelAtPeriodEnd: boolean;
  /** Its own method; null: it is charged on the customer's default. */
  readonly methodId: string | null;
}

/** What an invoice says on paper: lines, and taxes that come on top of them, add up to what is due. Minor units. */
export interface InvoiceContent {
  readonly lines: readonly InvoiceLine[];
  readonly taxes: readonly InvoiceTax[];
}

export interface InvoiceLine {
  readonly text: string;
  readonly quantity: number;
  /** For all of them; negative for what is given back. */
  readonly amount: number;
}

export interface InvoiceTax {
  readonly label: string;
  readonly amount: number;
  /** In the lines already. */
  readonly isIncluded: boolean;
}

/** Money of an invoice that went back to its payer, or may. */
export interface ReversalRecord {
  readonly id: string;
  readonly kind: "refund" | "dispute";
  /** open: a dispute that the bank has not decided; taken: paid back, or lost; returned: the refund failed, or the
   *  dispute was won. */
  readonly state: "open" | "taken" | "returned";
  readonly amount: number;
}

export interface InvoiceRecord {
  readonly id: string;
  /** null: it is for no subscription. */
  readonly providerId: string | null;
  readonly status: "draft" | "open" | "paid" | "void" | "uncollectible";
  /** create, cycle: a period in full; update: the difference after a change. */
  readonly reason: "create" | "cycle" | "update" | "other";
  readonly planId: string | null;
  readonly number: string | null;
  readonly amountDue: number;
  readonly amountPaid: number;
  /** Its refunds and disputes. null: not asked. */
  readonly reversals: readonly ReversalRecord[] | null;
  readonly content: InvoiceContent;
  readonly paidAt: Instant | null;
  /** Such as "visa •••• 4242". null: by nothing, or not asked. */
  readonly paidWith: string | null;
  readonly currency: Currency;
  /** The period that it pays for. */
  readonly periodStart: Instant;
  readonly periodEnd: Instant;
  /** How often it was tried to be charged. */
  readonly attempts: number;
  readonly url: string | null;
  readonly pdfUrl: string | null;
  readonly createdAt: Instant;
}
