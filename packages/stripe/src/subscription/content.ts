import type { InvoiceContent, InvoiceLine, InvoiceTax } from "@bursar/engine/subscription/payments";
import type { Stripe } from "stripe";
import { asked, ifThere } from "../unavailable.ts";
import { idOf } from "./record.ts";

/** What an invoice says on paper: its lines, then what discounts, the customer's balance and anything else make of them,
 *  so that all adds up to what is due. */
export async function contentOf(stripe: Stripe, invoice: Stripe.Invoice): Promise<InvoiceContent> {
  const lines = (await linesOf(stripe, invoice)).map(({ description, quantity, amount }) => {
    return { text: description ?? "Subscription", quantity: quantity ?? 1, amount };
  });
  const taxes = await taxesOf(stripe, invoice);
  const discount = -sum(invoice.total_discount_amounts ?? []);
  const onTop = sum(taxes.filter(({ isIncluded }) => !isIncluded));
  const others = invoice.total - sum(lines) - discount - onTop;
  const more: InvoiceLine[] = [
    { text: "Discount", quantity: 1, amount: discount },
    { text: "Other adjustments", quantity: 1, amount: others },
    { text: "Balance of earlier invoices", quantity: 1, amount: invoice.amount_due - invoice.total },
  ];
  return { lines: [...lines, ...more.filter(({ amount }) => amount !== 0)], taxes };
}

function sum(parts: readonly { readonly amount: number }[]): number {
  return parts.reduce((total, { amount }) => total + amount, 0);
}

/** An invoice brings its first lines along. */
async function linesOf(stripe: Stripe, { id, lines }: Stripe.Invoice): Promise<Stripe.InvoiceLineItem[]> {
  if (!lines.has_more) return lines.data;
  return asked(stripe.invoices.listLineItems(id, { limit: 100 }).autoPagingToArray({ limit: 1000 }));
}

async function taxesOf(stripe: Stripe, { total_taxes: taxes }: Stripe.Invoice): Promise<InvoiceTax[]> {
  const found: InvoiceTax[] = [];
  for (const { amount, tax_behavior: behaviour, tax_rate_details: details } of taxes ?? []) {
    const label = await labelOf(stripe, details?.tax_rate ?? null);
    found.push({ label, amount, isIncluded: behaviour === "inclusive" });
  }
  return found;
}

/** "VAT 19 %". */
async function labelOf(stripe: Stripe, rateId: string | null): Promise<string> {
  const rate = rateId === null ? null : await ifThere(stripe.taxRates.retrieve(rateId));
  return rate === null ? "Tax" : `${rate.display_name} ${rate.percentage} %`;
}

interface Paid {
  readonly intents: readonly Stripe.PaymentIntent[];
  readonly with: string | null;
}

/** What has paid an invoice, and with which card. `expand`: what comes along with each payment. */
export async function paymentsOf(stripe: Stripe, invoice: string, expand: readonly string[]): Promise<Paid> {
  const { data } = await asked(stripe.invoicePayments.list({ invoice, limit: 100 }));
  const ids = data.flatMap(({ payment }) => idOf(payment.payment_intent) ?? []);
  const intents: Stripe.PaymentIntent[] = [];
  for (const id of ids)
    intents.push(await asked(stripe.paymentIntents.retrieve(id, { expand: [...expand] })));
  const paid = intents.find(({ status }) => status === "succeeded" || status === "processing");
  return { intents, with: paid === undefined ? null : methodText(paid) };
}

function methodText({ latest_charge: charge }: Stripe.PaymentIntent): string | null {
  const details = typeof charge === "object" ? charge?.payment_method_details : null;
  if (details == null) return null;
  const { card } = details;
  return card == null ? details.type.replaceAll("_", " ") : `${card.brand} •••• ${card.last4}`;
}
