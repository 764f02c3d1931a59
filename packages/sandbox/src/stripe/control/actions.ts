import type { Stripe } from "stripe";
import { payInvoicePage } from "../billing/pay.ts";
import { chargeOf } from "../charge/charge.ts";
import { type PageOutcome, type Payer, payCheckout } from "../checkout/pay.ts";
import { deleteCustomer } from "../customer/delete.ts";
import {
  appealDispute,
  closeDispute,
  type DisputeReason,
  disputeOf,
  openDispute,
} from "../dispute/dispute.ts";
import type { Deliverer } from "../event/deliver.ts";
import type { Delivery } from "../event/delivery.ts";
import { resend } from "../event/emit.ts";
import { registerEndpoint } from "../event/endpoints.ts";
import { idOf } from "../ids.ts";
import { authenticatePayment } from "../intent/authenticate.ts";
import { intentOf } from "../intent/intent.ts";
import { type CardChange, changeCard } from "../method/change.ts";
import { authenticateSetup } from "../setup/confirm.ts";
import type { World } from "../world.ts";

/** What people, banks and tests do to this world, other than by the API. All throw a refusal for what is not there or cannot be. */
export interface Actions {
  /** Sends events to a URL, all or those named, signed with `webhookSecret`. Once more for the same URL changes the events. */
  readonly register: (url: string, events?: readonly string[]) => Stripe.WebhookEndpoint;
  /** The holder's answer on the page of their bank, for a PaymentIntent or a SetupIntent. */
  readonly authenticate: (intentId: string, answer: "approve" | "deny") => void;
  /** Presses the button on the page of a checkout. */
  readonly payCheckout: (sessionId: string, payer?: Payer) => PageOutcome;
  /** Presses the button on the page of an open invoice. */
  readonly payInvoice: (invoiceId: string, method?: string) => PageOutcome;
  /** Lets a saved card behave as another number or token does, or changes when it expires. */
  readonly changeCard: (methodId: string, change: CardChange) => void;
  /** The holder of the card disputes a charge, or the latest of a PaymentIntent. */
  readonly openDispute: (chargeOrIntentId: string, reason?: DisputeReason) => Stripe.Dispute;
  /** The bank decides. */
  readonly closeDispute: (disputeId: string, outcome: "lost" | "won") => Stripe.Dispute;
  /** What the bank has decided is appealed against; it decides again by `closeDispute`. */
  readonly appealDispute: (disputeId: string) => Stripe.Dispute;
  /** As somebody in Stripe's dashboard does. */
  readonly deleteCustomer: (customerId: string) => void;
  /** Delivers an event again, to every endpoint. */
  readonly resend: (eventId: string) => void;
  /** What is on its way to endpoints, and what became of it. */
  readonly deliveries: () => readonly Delivery[];
}

/** Each action is done at once; what it tells goes out right after. */
export function createActions(world: World, deliverer: Deliverer, webhookSecret: string): Actions {
  const after = <Result>(result: Result): Result => {
    deliverer.wake();
    // What could not be written now is written with the next change.
    world.keep().catch(() => undefined);
    return result;
  };
  return {
    register: (url, events = ["*"]) => after(registerEndpoint(world, { url, events, secret: webhookSecret })),
    authenticate: (id, answer) => {
      const isApproved = answer === "approve";
      if (id.startsWith("seti_")) authenticateSetup(world, id, isApproved);
      else authenticatePayment(world, id, isApproved);
      after(undefined);
    },
    payCheckout: (id, payer = { method: "pm_card_visa" }) => after(payCheckout(world, id, payer)),
    payInvoice: (id, method = "pm_card_visa") => after(payInvoicePage(world, id, method)),
    openDispute: (id, reason = "fraudulent") => {
      const charge = id.startsWith("pi_") ? idOf(intentOf(world, id).latest_charge ?? "") : id;
      return after(structuredClone(openDispute(world, chargeOf(world, charge), reason)));
    },
    closeDispute: (id, outcome) => {
      const dispute = disputeOf(world, id);
      closeDispute(world, dispute, outcome);
      return after(structuredClone(dispute));
    },
    appealDispute: (id) => {
      const dispute = disputeOf(world, id);
      appealDispute(world, dispute);
      return after(structuredClone(dispute));
    },
    changeCard: (id, change) => after(changeCard(world, id, change)),
    deleteCustomer: (id) => void after(deleteCustomer(world, id)),
    resend: (id) => after(resend(world, id)),
    deliveries: () => structuredClone([...world.state.deliveries.values()]),
  };
}
