import type { PageOutcome } from "../checkout/pay.ts";
import { idOf } from "../ids.ts";
import { usableMethod } from "../intent/confirm.ts";
import { invalid } from "../refusal.ts";
import type { World } from "../world.ts";
import { collect } from "./collect.ts";
import { intentOfInvoice, invoiceOf } from "./invoice.ts";

/** What happens when its customer pays an invoice on its page. Throws a refusal: it is not open, the method is unknown. */
export function payInvoicePage(world: World, id: string, methodId: string): PageOutcome {
  const invoice = invoiceOf(world, id);
  if (invoice.status !== "open") throw invalid(`This invoice is ${String(invoice.status)}.`, "invoice");
  const url = invoice.hosted_invoice_url!;
  const method = usableMethod(world, methodId, idOf(invoice.customer!));
  const outcome = collect(world, invoice, { isOffSession: false, methodId: method.id, returnUrl: url });
  const intent = intentOfInvoice(world, invoice);
  if (outcome.kind === "declined") {
    return { kind: "declined", message: intent.last_payment_error?.message ?? "Your card was declined." };
  }
  if (outcome.kind !== "requires_action") return { kind: "complete", url };
  return { kind: "requires_action", url: intent.next_action!.redirect_to_url!.url! };
}
