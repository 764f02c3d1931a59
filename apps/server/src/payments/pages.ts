import { formatMoney } from "@bursar/contract/fiat";
import { formatCredits } from "@bursar/contract/money";
import { advance } from "@bursar/engine/payment/advance";
import type { AdvanceDeps } from "@bursar/engine/payment/deps";
import type { Payment } from "@bursar/engine/payment/payment";
import { PaymentsUnavailable } from "@bursar/engine/payment/payments";
import { findPaymentByLink } from "@bursar/engine/payment/store";
import type { Hono } from "hono";
import { redirect } from "../identity/pages/ask.ts";
import { html, page } from "../identity/pages/page.ts";

type PageDeps = AdvanceDeps & { readonly identity: { readonly url: () => string } };

/** Where people confirm a payment, and where the provider's pages lead back to. Who has the link, which nobody can
 *  guess, can confirm the payment and see how it went, no more. Opening it confirms nothing, because mail scanners open
 *  links too: a person must press the button. */
export function mountPaymentPages(app: Hono, deps: PageDeps): void {
  app.get("/pay/saved", () =>
    page("Back again", html`<p>What you have saved or paid counts in a moment. You can close this page.</p>`),
  );
  app.get("/pay/:link", async (context) => {
    const payment = await findPaymentByLink(deps.pool, context.req.param("link"));
    if (payment === null) return missing();
    return payment.state === "requires_action" ? askedFor(payment) : shown(payment);
  });
  app.post("/pay/:link", async (context) => {
    const payment = await findPaymentByLink(deps.pool, context.req.param("link"));
    if (payment === null) return missing();
    if (payment.state !== "requires_action" || payment.intentId === null) return shown(payment);
    const back = `${deps.identity.url()}/pay/${payment.link}/done`;
    const url = await orLater(deps.payments.authenticationPage(payment.intentId, back));
    if (url === "later") return later();
    return url === null ? shown(await carriedOn(deps, payment)) : redirect(url);
  });
  app.get("/pay/:link/done", async (context) => {
    const payment = await findPaymentByLink(deps.pool, context.req.param("link"));
    return payment === null ? missing() : shown(await carriedOn(deps, payment));
  });
}

/** Whoever comes back from paying sees what came of it, without waiting for the webhook. */
async function carriedOn(deps: PageDeps, payment: Payment): Promise<Payment> {
  const advanced = await orLater(advance(deps, payment));
  return advanced === "later" ? payment : advanced;
}

async function orLater<Answer>(asked: Promise<Answer>): Promise<Answer | "later"> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof PaymentsUnavailable) return "later";
    throw error;
  }
}

const later = () =>
  page("Please try again", html`<p>The payment provider cannot be reached right now. Nothing is lost.</p>`, {
    status: 503,
  });

const missing = () => page("No such payment", html`<p>This link leads nowhere.</p>`, { status: 404 });

const whatOf = ({ credits, amount, currency }: Payment) =>
  `${formatCredits(credits)} credits for ${formatMoney(amount, currency)}`;

function askedFor(payment: Payment): Response {
  const form = html`<form method="post" action="/pay/${payment.link}"><button>Confirm with your bank</button></form>`;
  return page(
    "Please confirm a payment",
    html`<p>${whatOf(payment)}: your bank wants you to confirm it.</p>${form}`,
  );
}

function shown(payment: Payment): Response {
  const { title, text } = WORDS[payment.state];
  return page(title, html`<p>${whatOf(payment)}: ${text}</p>`);
}

const WORDS: Record<Payment["state"], { title: string; text: string }> = {
  wanted: { title: "Not paid yet", text: "nothing has been charged." },
  charging: { title: "Under way", text: "the payment is being made." },
  requires_action: { title: "Not confirmed yet", text: "nothing has been charged." },
  granted: { title: "Thank you", text: "the credits are on your balance." },
  confirmed: { title: "Thank you", text: "the credits are on your balance." },
  failed: { title: "The payment failed", text: "nothing has been charged." },
  canceled: { title: "Called off", text: "nothing has been charged." },
  reversed: { title: "The payment failed", text: "the credits were taken back." },
};
