import { readPolicy } from "../topup/store-policies.ts";
import type { PaymentDeps } from "./deps.ts";
import { customerOf, withCustomer } from "./methods.ts";
import { isOpen, type Payment } from "./payment.ts";
import type { IntentRecord } from "./payments.ts";
import { setCheckout } from "./store.ts";

export interface RecordNow {
  /** null: nobody has paid yet, and somebody still may. */
  readonly record: IntentRecord | null;
  /** The answer to the charge itself, rather than the provider's record of it. */
  readonly isAnswer: boolean;
}

/** Providers forget an idempotency key after 24 hours: later than this no page is opened. */
const REPEATABLE_MICROSECONDS = 20 * 3600 * 1_000_000;

const NEVER_MADE: IntentRecord = {
  intentId: null,
  status: "canceled",
  failure: null,
  refunds: [],
  disputes: [],
};

/** What the provider says of a payment, asking it to make the payment where it has not. */
export async function recordOf(deps: PaymentDeps, payment: Payment): Promise<RecordNow> {
  // On an open page a card may be declined and the next one tried: what counts there is the page.
  if (payment.method === "checkout" && payment.state === "wanted") return ofCheckout(deps, payment);
  if (payment.intentId !== null) return read(deps, payment, payment.intentId);
  return payment.method === "checkout" ? ofCheckout(deps, payment) : ofCharge(deps, payment);
}

/** A provider that has forgotten a payment is no reason to take credits back. */
async function read(deps: PaymentDeps, payment: Payment, intentId: string): Promise<RecordNow> {
  const record = await deps.payments.intent(intentId);
  const forgotten = isOpen(payment.state) ? { ...NEVER_MADE, intentId } : null;
  return { record: record ?? forgotten, isAnswer: false };
}

async function ofCharge(deps: PaymentDeps, payment: Payment): Promise<RecordNow> {
  const { accountId, id: paymentId, paymentMethodId, amount, currency, kind, credits, createdAt } = payment;
  // Closed without ever having reached the provider.
  if (payment.state !== "wanted" && payment.state !== "charging") return { record: null, isAnswer: false };
  const customerId = await customerOf(deps, accountId);
  if (customerId === null || paymentMethodId === null) return { record: NEVER_MADE, isAnswer: false };
  const age = deps.clock.now() - createdAt;
  let isWanted = true;
  if (payment.tries > 0 || age >= LEASE_MICROSECONDS) {
    // The answer to an earlier try may have been lost with the process, or be an error that its key repeats for ever.
    const made = await deps.payments.findIntent({ customerId, paymentId, since: createdAt });
    if (made !== null) return { record: made, isAnswer: false };
    isWanted = await isStillWanted(deps, payment);
  }
  if (!isWanted || deps.clock.now() - createdAt >= PATIENCE_MICROSECONDS) {
    // It lists its payments, this one is not among them, and nobody sends it any more: somebody may ask anew.
    const isNeverMade = age >= CALL_OFF_MICROSECONDS;
    return { record: isNeverMade ? { ...NEVER_MADE, failure: PROVIDER_FAILED } : null, isAnswer: false };
  }
  const charge = { accountId, paymentId, customerId, paymentMethodId, amount, currency, kind, credits };
  const record = await deps.payments.charge({ ...charge, description: descriptionOf(payment) });
  return { record, isAnswer: true };
}

/** Since a top-up was written down its policy may have been switched off, or set to what it is not. */
async function isStillWanted(deps: PaymentDeps, payment: Payment): Promise<boolean> {
  if (payment.kind !== "topup") return true;
  const policy = await readPolicy(deps.pool, payment.accountId);
  if (policy?.rule == null || !policy.enabled || policy.isSuspended) return false;
  return policy.rule.currency === payment.currency && payment.amount <= policy.rule.dailyCap;
}

/** Whoever wrote the payment down was alone with it for so long; after that somebody else carries it on. */
export const LEASE_MICROSECONDS = 60 * 1_000_000;

/** How long a provider is asked to do something; after that it is only asked whether it has. */
export const PATIENCE_MICROSECONDS = 3600 * 1_000_000;

/** From then on what cannot be found was never made: the last try has been answered for longer than any answer takes. */
export const CALL_OFF_MICROSECONDS = PATIENCE_MICROSECONDS + 120 * 1_000_000;

export const PROVIDER_FAILED = {
  code: "provider_failed",
  message: "The payment provider could not do it",
};

async function ofCheckout(deps: PaymentDeps, payment: Payment): Promise<RecordNow> {
  const page = await pageOf(deps, payment);
  if (page !== null && "kind" in page)
    return { record: { ...NEVER_MADE, status: "declined", failure: page.failure }, isAnswer: true };
  if (page === null || page.status === "expired") return { record: NEVER_MADE, isAnswer: false };
  if (page.status === "open" || page.intentId === null) return { record: null, isAnswer: false };
  return read(deps, payment, page.intentId);
}

async function pageOf(deps: PaymentDeps, payment: Payment) {
  const { accountId, checkoutId, createdAt } = payment;
  if (checkoutId !== null) return deps.payments.checkout(checkoutId);
  if (deps.clock.now() - createdAt >= REPEATABLE_MICROSECONDS) return null;
  const page = await withCustomer(deps, accountId, (customerId) => openPage(deps, payment, customerId));
  if (page !== null && !("kind" in page)) await setCheckout(deps.pool, payment, page);
  return page;
}

function openPage(deps: PaymentDeps, payment: Payment, customerId: string) {
  const { accountId, id: paymentId, amount, currency, kind, credits, returnUrl } = payment;
  const sale = { accountId, paymentId, customerId, amount, currency, kind, credits };
  const description = descriptionOf(payment);
  return deps.payments.openCheckout({ ...sale, description, returnUrl: returnUrl! });
}

/** What people read on the page to pay on and on the receipt. */
export function descriptionOf({ credits, kind }: Pick<Payment, "credits" | "kind">): string {
  const count = (credits / 1_000_000n).toLocaleString("en");
  return kind === "topup" ? `${count} credits, auto top-up` : `${count} credits`;
}
