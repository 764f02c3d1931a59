import type { Stripe } from "stripe";
import { emit } from "../event/emit.ts";
import { idOf } from "../ids.ts";
import { type AttemptOutcome, attempt } from "../intent/attempt.ts";
import { methodOf } from "../method/create.ts";
import { secondsOf, type World } from "../world.ts";
import { cancelNow } from "./end.ts";
import { intentOfInvoice, invoiceOf, markPaid, paymentOf, subscriptionIn } from "./invoice.ts";
import { changeStatus, methodFor } from "./subscription.ts";

export type Collected = AttemptOutcome | { readonly kind: "nothing_due" } | { readonly kind: "no_method" };

/** Pauses after the first, second and third failure of a renewal, in days; then the subscription ends. */
const RETRY_DAYS = [3, 5, 7];
const DAY_SECONDS = 86_400;

export interface Collection {
  /** Nobody is there to answer questions. */
  readonly isOffSession: boolean;
  /** Left out: the usual one. */
  readonly methodId?: string | undefined;
  /** Where the bank sends its customer back to. */
  readonly returnUrl?: string;
}

/** Tries to get an open invoice paid, with the method that is named or the usual one. What comes of it is told to the invoice
 *  by the intent that it follows. */
export function collect(world: World, invoice: Stripe.Invoice, how: Collection): Collected {
  if (invoice.amount_due === 0) {
    markPaid(world, invoice);
    afterPaid(world, invoice);
    return { kind: "nothing_due" };
  }
  const intent = intentOfInvoice(world, invoice);
  const usual = how.methodId ?? methodFor(world, subscriptionIn(invoice));
  if (usual === null) {
    failed(world, invoice, false);
    return { kind: "no_method" };
  }
  const outcome = attempt(world, intent, methodOf(world, usual), how);
  if (outcome.kind === "requires_action") emit(world, "invoice.payment_action_required", invoice);
  return outcome;
}

/** An invoice is paid when its intent is, and has failed when that has. */
export function followInvoice(world: World, intent: Stripe.PaymentIntent | Stripe.SetupIntent): void {
  if (intent.object !== "payment_intent") return;
  const payment = [...world.state.invoicePayments.values()].find((candidate) => {
    return candidate.payment.payment_intent === intent.id;
  });
  if (payment === undefined) return;
  const invoice = invoiceOf(world, idOf(payment.invoice));
  if (invoice.status !== "open") return;
  if (intent.status === "succeeded") {
    invoice.attempt_count++;
    markPaid(world, invoice);
    afterPaid(world, invoice);
  } else if (intent.status === "requires_payment_method") {
    failed(world, invoice, intent.last_payment_error?.code === "authentication_required");
  }
}

function afterPaid(world: World, invoice: Stripe.Invoice): void {
  const subscription = world.state.subscriptions.get(subscriptionIn(invoice))!;
  keepMethod(world, subscription, invoice);
  if (["incomplete", "past_due", "unpaid"].includes(subscription.status)) {
    changeStatus(world, subscription, "active");
  }
}

/** Where that is asked for, what has paid once pays from now on. */
function keepMethod(world: World, subscription: Stripe.Subscription, invoice: Stripe.Invoice): void {
  const wanted = subscription.payment_settings?.save_default_payment_method === "on_subscription";
  const intent = paymentOf(world, invoice)?.payment.payment_intent;
  if (!wanted || intent === undefined) return;
  subscription.default_payment_method = world.state.paymentIntents.get(idOf(intent))!.payment_method;
}

function failed(world: World, invoice: Stripe.Invoice, needsAction: boolean): void {
  const subscription = world.state.subscriptions.get(subscriptionIn(invoice))!;
  invoice.attempted = true;
  invoice.attempt_count++;
  const isFirst = invoice.billing_reason === "subscription_create";
  const pause = isFirst || !invoice.auto_advance ? undefined : RETRY_DAYS[invoice.attempt_count - 1];
  invoice.next_payment_attempt = pause === undefined ? null : secondsOf(world) + pause * DAY_SECONDS;
  emit(world, "invoice.payment_failed", invoice);
  if (needsAction) emit(world, "invoice.payment_action_required", invoice);
  if (isFirst || subscription.status === "canceled") return;
  if (pause === undefined) {
    invoice.auto_advance = false;
    cancelNow(world, subscription, "payment_failed");
  } else if (subscription.status !== "past_due") {
    changeStatus(world, subscription, "past_due");
  }
}
