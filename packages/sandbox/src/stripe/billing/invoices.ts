import type { Stripe } from "stripe";
import { z } from "zod";
import { emit } from "../event/emit.ts";
import { idOf } from "../ids.ts";
import { usableMethod } from "../intent/confirm.ts";
import { declinedCard } from "../intent/declined.ts";
import { invalid, missing } from "../refusal.ts";
import { isWithin, listOf } from "../wire/list.ts";
import { nothing, route } from "../wire/route.ts";
import { flag, listing, text } from "../wire/shapes.ts";
import { secondsOf, type World } from "../world.ts";
import { collect } from "./collect.ts";
import { voidInvoice } from "./end.ts";
import { invoiceOf, markPaid } from "./invoice.ts";
import { findingInvoices, previewing } from "./params.ts";
import { previewInvoice } from "./preview.ts";

const paying = z.strictObject({
  payment_method: text.optional(),
  off_session: flag.optional(),
  paid_out_of_band: flag.optional(),
});

function pay(world: World, invoice: Stripe.Invoice, params: z.output<typeof paying>): Stripe.Invoice {
  if (invoice.status === "paid") throw invalid("Invoice is already paid", "invoice");
  checkOpen(invoice, "paid");
  if (params.paid_out_of_band === true) {
    markPaid(world, invoice);
    return invoice;
  }
  const named = params.payment_method;
  const method = named === undefined ? undefined : usableMethod(world, named, idOf(invoice.customer!)).id;
  const outcome = collect(world, invoice, { isOffSession: params.off_session !== false, methodId: method });
  if (outcome.kind === "declined") throw declinedCard(outcome.decline, { charge: outcome.charge });
  if (outcome.kind !== "no_method") return invoice;
  throw invalid(
    "There is no `default_payment_method` set on this Customer or Invoice. Please either attach a PaymentMethod to this Invoice or set a default PaymentMethod for this Customer.",
    "payment_method",
    "resource_missing",
  );
}

function checkOpen({ status }: Stripe.Invoice, verb: string): void {
  if (status === "open") return;
  throw invalid(`Only open invoices can be ${verb}; this one is ${String(status)}.`, "invoice");
}

export const invoiceRoutes = [
  route("POST", "/v1/invoices/create_preview", previewing, (world, { params }) =>
    previewInvoice(world, params),
  ),
  route("GET", "/v1/invoices/:id", nothing, (world, { id }) => invoiceOf(world, id, "id")),
  route("POST", "/v1/invoices/:id/pay", paying, (world, { id, params }) =>
    pay(world, invoiceOf(world, id, "id"), params),
  ),
  route("POST", "/v1/invoices/:id/void", nothing, (world, { id }) => {
    const invoice = invoiceOf(world, id, "id");
    checkOpen(invoice, "voided");
    voidInvoice(world, invoice);
    return invoice;
  }),
  route("POST", "/v1/invoices/:id/mark_uncollectible", nothing, (world, { id }) => {
    const invoice = invoiceOf(world, id, "id");
    checkOpen(invoice, "marked as uncollectible");
    Object.assign(invoice, {
      status: "uncollectible",
      auto_advance: false,
      next_payment_attempt: null,
      status_transitions: { ...invoice.status_transitions, marked_uncollectible_at: secondsOf(world) },
    } satisfies Partial<Stripe.Invoice>);
    emit(world, "invoice.marked_uncollectible", invoice);
    return invoice;
  }),
  route("GET", "/v1/invoices/:id/lines", z.strictObject(listing), (world, { id, params, path }) => {
    // The first line comes first here.
    return listOf(invoiceOf(world, id, "id").lines.data.toReversed(), params, path);
  }),
  route("GET", "/v1/invoices", findingInvoices, ({ state }, { params, path }) => {
    const found = [...state.invoices.values()].filter((invoice) => {
      const owner = invoice.parent?.subscription_details?.subscription;
      const isTheirs = (params.customer ?? invoice.customer) === invoice.customer;
      const isOf = params.subscription === undefined || owner === params.subscription;
      return (
        isTheirs &&
        isOf &&
        (params.status ?? invoice.status) === invoice.status &&
        isWithin(invoice.created, params.created)
      );
    });
    return listOf(found, params, path);
  }),
  route("GET", "/v1/invoice_payments/:id", nothing, ({ state }, { id }) => {
    const payment = state.invoicePayments.get(id);
    if (payment === undefined) throw missing("invoice_payment", id, "id");
    return payment;
  }),
  route(
    "GET",
    "/v1/invoice_payments",
    z.strictObject({
      ...listing,
      invoice: text.optional(),
      payment: z.strictObject({ type: text, payment_intent: text.optional() }).optional(),
    }),
    ({ state }, { params, path }) => {
      const intent = params.payment?.payment_intent;
      const found = [...state.invoicePayments.values()].filter(({ invoice, payment }) => {
        const isOf = params.invoice === undefined || invoice === params.invoice;
        return isOf && (intent === undefined || payment.payment_intent === intent);
      });
      return listOf(found, params, path);
    },
  ),
];
