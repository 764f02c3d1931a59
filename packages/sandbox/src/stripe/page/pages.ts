import type { Stripe } from "stripe";
import { type Html, html, page } from "../../html.ts";
import { TEST_NUMBERS, type TestNumber } from "../card/cards.ts";
import type { SessionItem } from "../checkout/plan.ts";
import { formatAmount } from "../money.ts";

const NOTE = "Sandbox: this is not Stripe, and no money moves.";

interface CheckoutPage {
  readonly session: Stripe.Checkout.Session;
  readonly items: readonly SessionItem[];
  readonly saved: readonly Stripe.PaymentMethod[];
  readonly problem: string;
}

/** Where somebody chooses a card and pays. */
export function checkoutPage({ session, items, saved, problem }: CheckoutPage): string {
  const { mode, amount_total: total, currency, cancel_url: cancel, customer_details: details } = session;
  const email = details?.email ?? null;
  const button =
    mode === "setup"
      ? "Save"
      : `${mode === "subscription" ? "Subscribe" : "Pay"} ${formatAmount(total ?? 0, currency ?? "")}`;
  const back = cancel === null ? html`` : html`<p><a href="${cancel}">Cancel and go back</a></p>`;
  return page(
    mode === "setup" ? "Save a payment method" : "Checkout",
    NOTE,
    html`${alert(problem)}${lines(items)}
<form method="post">
${email === null ? emailField : html`<p>For ${email}</p>`}
${choices(saved)}
<button>${button}</button></form>${back}`,
  );
}

const emailField = html`<label for="email">E-mail</label><input type="text" id="email" name="email" value="guest@sandbox.test">`;

function lines(items: readonly SessionItem[]): Html {
  const rows = items.map(
    ({ description, quantity, amount_total: amount, currency }) =>
      html`<tr><td>${description ?? "Item"}</td><td>${String(quantity)}</td><td>${formatAmount(amount, currency)} ${currency}</td></tr>`,
  );
  if (items.length === 0) return html``;
  return html`<table><thead><tr><th>What</th><th>How many</th><th>Amount</th></tr></thead><tbody>${rows}</tbody></table>`;
}

function choices(saved: readonly Stripe.PaymentMethod[]): Html {
  return html`<fieldset><legend>Pay with</legend>
${saved.map((method) => choice(method.id, `Saved: ${titleOf(method)}`, false))}
${TEST_NUMBERS.map((entry, index) => choice(entry.tokens[0]!, describe(entry), index === 0))}
</fieldset>`;
}

function choice(value: string, title: string, isChecked: boolean): Html {
  const checked = isChecked ? html` checked` : html``;
  return html`<label><input type="radio" name="method" value="${value}"${checked}> ${title}</label>`;
}

function titleOf({ card, us_bank_account: account }: Stripe.PaymentMethod): string {
  return card === undefined ? `bank account ${account?.last4 ?? ""}` : `${card.brand} ${card.last4}`;
}

function describe({
  number,
  tokens,
  decline,
  authentication,
  settlesAtOnce,
  dispute,
  refund,
}: TestNumber): string {
  const told = [
    authentication === "never" ? "" : "asks for 3-D Secure",
    settlesAtOnce ? "" : "minutes later",
    decline === null ? "pays" : `declined: ${decline}`,
    dispute === null ? "" : "then disputes",
    refund === "at_once" ? "" : `refund ${refund === "later" ? "comes later" : "fails"}`,
  ];
  return `${number} (${tokens[0]!}): ${told.filter((part) => part !== "").join(", ")}`;
}

interface InvoicePage {
  readonly invoice: Stripe.Invoice;
  readonly saved: readonly Stripe.PaymentMethod[];
  readonly problem: string;
}

/** What an invoice asks for, and where it is paid while it is open. */
export function invoicePage({ invoice, saved, problem }: InvoicePage): string {
  const { number, status, amount_due: due, currency, lines } = invoice;
  const rows = lines.data.map(
    ({ description, amount }) =>
      html`<tr><td>${description ?? "Item"}</td><td>${formatAmount(amount, currency)} ${currency}</td></tr>`,
  );
  const form = html`<form method="post">${choices(saved)}
<button>Pay ${formatAmount(due, currency)}</button></form>`;
  return page(
    `Invoice ${number ?? ""}`,
    NOTE,
    html`${alert(problem)}<table><tbody>${rows}
<tr><th>Due</th><td>${formatAmount(due, currency)} ${currency}</td></tr>
<tr><th>State</th><td>${String(status)}</td></tr></tbody></table>${status === "open" ? form : html``}`,
  );
}

/** Where the bank of a card asks whether it is really its holder. */
export function authenticationPage(intent: Stripe.PaymentIntent | Stripe.SetupIntent): string {
  const what =
    intent.object === "payment_intent"
      ? html`<p>A payment of <strong>${formatAmount(intent.amount, intent.currency)} ${intent.currency}</strong>.</p>`
      : html`<p>A card is to be saved for later.</p>`;
  return page(
    "Is it you?",
    NOTE,
    html`${what}<form method="post"><button name="answer" value="approve">Yes, approve</button>
<button name="answer" value="deny">No, deny</button></form>`,
  );
}

export function receiptPage(charge: Stripe.Charge): string {
  const { amount, amount_refunded: refunded, currency, status, created } = charge;
  const card = charge.payment_method_details?.card;
  return page(
    "Receipt",
    NOTE,
    html`<table><tbody>
<tr><th>Amount</th><td>${formatAmount(amount, currency)} ${currency}</td></tr>
<tr><th>Refunded</th><td>${formatAmount(refunded, currency)} ${currency}</td></tr>
<tr><th>State</th><td>${status}</td></tr>
<tr><th>When (UTC)</th><td>${new Date(created * 1000).toISOString().slice(0, 16).replace("T", " ")}</td></tr>
<tr><th>With</th><td>${card === undefined ? "bank account" : `${card.brand ?? ""} ${card.last4 ?? ""}`}</td></tr>
</tbody></table>`,
  );
}

/** Says something and nothing else. */
export function messagePage(title: string, text: string): string {
  return page(title, NOTE, html`<p>${text}</p>`);
}

function alert(problem: string): Html {
  return problem === "" ? html`` : html`<p role="alert">${problem}</p>`;
}
