import type { Stripe } from "stripe";
import { invoiceOf, paymentOf } from "../billing/invoice.ts";
import { chargeOf } from "../charge/charge.ts";
import { successUrl } from "../checkout/pay.ts";
import { sessionOf } from "../checkout/session.ts";
import type { Actions } from "../control/actions.ts";
import { idOf } from "../ids.ts";
import { intentOf } from "../intent/intent.ts";
import { invalid } from "../refusal.ts";
import { setupOf } from "../setup/setup.ts";
import type { World } from "../world.ts";
import { authenticationPage, checkoutPage, invoicePage, messagePage, receiptPage } from "./pages.ts";

export type PageAnswer =
  | { readonly kind: "page"; readonly text: string }
  | { readonly kind: "redirect"; readonly url: string };

type Form = URLSearchParams | null;

/** Pages for people: `form` is null to look, else what they sent. null for a path that is no page.
 *  Throws a refusal: nothing there has this id, or it is too late. */
export function answerPage(world: World, actions: Actions, path: string, form: Form): PageAnswer | null {
  const [, kind, id] = /^\/sandbox\/(authenticate|checkout|invoices|receipts)\/([^/]+)$/.exec(path) ?? [];
  if (kind === undefined || id === undefined) return null;
  switch (kind) {
    case "checkout":
      return checkout(world, actions, id, form);
    case "invoices":
      return invoice(world, actions, id, form);
    case "authenticate":
      return authenticate(world, actions, id, form);
    default:
      return { kind: "page", text: receiptPage(chargeOf(world, id, "id")) };
  }
}

function checkout(world: World, actions: Actions, id: string, form: Form): PageAnswer {
  const session = sessionOf(world, id, "id");
  if (session.status === "complete") return { kind: "redirect", url: successUrl(session) };
  if (session.status !== "open")
    return { kind: "page", text: messagePage("Too late", "This checkout has expired.") };
  let problem = "";
  if (form !== null) {
    const email = form.get("email") ?? undefined;
    const outcome = actions.payCheckout(id, { method: form.get("method") ?? "pm_card_visa", email });
    if (outcome.kind !== "declined") return { kind: "redirect", url: outcome.url };
    problem = outcome.message;
  } else problem = lastProblem(world, session.payment_intent);
  const { items } = world.state.sessionPlans.get(id)!;
  const saved = savedBy(world, session.customer);
  return { kind: "page", text: checkoutPage({ session, items, saved, problem }) };
}

function invoice(world: World, actions: Actions, id: string, form: Form): PageAnswer {
  const owed = invoiceOf(world, id, "id");
  const intent = paymentOf(world, owed)?.payment.payment_intent ?? null;
  let problem = owed.status === "open" ? lastProblem(world, intent) : "";
  if (form !== null) {
    const outcome = actions.payInvoice(id, form.get("method") ?? undefined);
    if (outcome.kind !== "declined") return { kind: "redirect", url: outcome.url };
    problem = outcome.message;
  }
  const saved = savedBy(world, owed.customer);
  return { kind: "page", text: invoicePage({ invoice: owed, saved, problem }) };
}

function savedBy({ state }: World, owner: string | { readonly id: string } | null): Stripe.PaymentMethod[] {
  const id = idOf(owner);
  return [...state.paymentMethods.values()].filter(({ customer }) => id !== null && customer === id);
}

/** Who comes back from their bank having said no is told so. */
function lastProblem({ state }: World, intent: string | { readonly id: string } | null): string {
  if (intent === null) return "";
  return state.paymentIntents.get(idOf(intent))?.last_payment_error?.message ?? "";
}

function authenticate(world: World, actions: Actions, id: string, form: Form): PageAnswer {
  const intent = id.startsWith("seti_") ? setupOf(world, id, "id") : intentOf(world, id, "id");
  if (intent.status !== "requires_action") {
    return {
      kind: "page",
      text: messagePage("Nothing to do", `There is nothing to approve: ${intent.status}.`),
    };
  }
  const answer = form?.get("answer") ?? null;
  if (answer === null) return { kind: "page", text: authenticationPage(intent) };
  if (answer !== "approve" && answer !== "deny") throw invalid("answer: must be approve or deny", "answer");
  const back = intent.next_action?.redirect_to_url?.return_url ?? null;
  actions.authenticate(id, answer);
  if (back !== null)
    return { kind: "redirect", url: returnUrl(back, intent.id, intent.client_secret, answer) };
  return { kind: "page", text: messagePage("Thank you", "You can close this page.") };
}

/** Stripe tells the page that it returns to what became of it. */
function returnUrl(back: string, id: string, secret: string | null, answer: string): string {
  const name = id.startsWith("seti_") ? "setup_intent" : "payment_intent";
  const url = new URL(back);
  url.searchParams.set(name, id);
  url.searchParams.set(`${name}_client_secret`, secret ?? "");
  url.searchParams.set("redirect_status", answer === "approve" ? "succeeded" : "failed");
  return url.href;
}
