import type { Stripe } from "stripe";
import { customerOf } from "../customer/customer.ts";
import { emit } from "../event/emit.ts";
import { newId } from "../ids.ts";
import { withMetadata } from "../metadata.ts";
import { currencyOf } from "../money.ts";
import { invalid, missing } from "../refusal.ts";
import { createSetup } from "../setup/setup.ts";
import { secondsOf, type World } from "../world.ts";
import { itemsOf } from "./items.ts";
import type { Creating } from "./params.ts";
import { unusedOfSession } from "./unused.ts";

const HALF_HOUR_SECONDS = 1800;
const DAY_SECONDS = 86_400;

/** Opens a checkout with a page to click through. Throws a refusal: parameters that contradict each other, or an expiry less than half
 *  an hour or more than a day ahead. */
export function openSession(world: World, params: Creating): Stripe.Checkout.Session {
  checkTogether(params);
  const now = secondsOf(world);
  const expiresAt = params.expires_at ?? now + DAY_SECONDS;
  if (expiresAt < now + HALF_HOUR_SECONDS || expiresAt > now + DAY_SECONDS) {
    throw invalid(
      "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.",
      "expires_at",
    );
  }
  const customer = params.customer === undefined ? null : customerOf(world, params.customer);
  const items = params.mode === "setup" ? [] : itemsOf(world, params);
  const session = newSession(world, params, items.length === 0 ? null : sumOf(items), expiresAt);
  session.currency =
    items[0]?.currency ?? (params.currency === undefined ? null : currencyOf(params.currency));
  if (params.mode === "setup") session.setup_intent = setupFor(world, params).id;
  if (customer !== null) session.customer_details = detailsOf(customer.email, customer.name ?? null);
  world.state.sessions.set(session.id, session);
  const { payment_intent_data: payment = {}, subscription_data: subscription = {} } = params;
  world.state.sessionPlans.set(session.id, { items, payment, subscription });
  return session;
}

function checkTogether(params: Creating): void {
  const { mode, customer, customer_email: email } = params;
  if (customer !== undefined && email !== undefined) {
    throw invalid("You may only specify one of these parameters: customer, customer_email.", "customer");
  }
  const belongs = {
    payment_intent_data: "payment",
    setup_intent_data: "setup",
    subscription_data: "subscription",
  } as const;
  for (const [name, home] of Object.entries(belongs)) {
    if (params[name as keyof typeof belongs] === undefined || mode === home) continue;
    throw invalid(`You can not pass \`${name}\` in \`${mode}\` mode.`, name);
  }
  if (mode === "setup" && params.line_items !== undefined) {
    throw invalid("You can not pass `line_items` in `setup` mode.", "line_items");
  }
  if (params.customer_creation !== undefined && (mode !== "payment" || customer !== undefined)) {
    throw invalid(
      "`customer_creation` can only be used in `payment` mode, without a customer.",
      "customer_creation",
    );
  }
}

function sumOf(items: readonly { readonly amount_total: number }[]): number {
  return items.reduce((sum, { amount_total: amount }) => sum + amount, 0);
}

function setupFor(world: World, params: Creating): Stripe.SetupIntent {
  const setup = createSetup(world, {
    customer: params.customer ?? null,
    description: params.setup_intent_data?.description ?? null,
    metadata: withMetadata({}, params.setup_intent_data?.metadata),
    types: params.payment_method_types ?? null,
  });
  emit(world, "setup_intent.created", setup);
  return setup;
}

function newSession(
  world: World,
  params: Creating,
  amount: number | null,
  expiresAt: number,
): Stripe.Checkout.Session {
  const id = newId("cs_test", 58);
  return {
    id,
    object: "checkout.session",
    ...unusedOfSession(),
    allow_promotion_codes: params.allow_promotion_codes ?? null,
    amount_subtotal: amount,
    amount_total: amount,
    billing_address_collection: params.billing_address_collection ?? null,
    cancel_url: params.cancel_url ?? null,
    client_reference_id: params.client_reference_id ?? null,
    created: secondsOf(world),
    custom_text: {
      after_submit: null,
      shipping_address: null,
      submit: null,
      terms_of_service_acceptance: null,
    },
    customer: params.customer ?? null,
    customer_creation: params.mode === "payment" ? (params.customer_creation ?? "if_required") : null,
    customer_details: params.customer_email === undefined ? null : detailsOf(params.customer_email, null),
    customer_email: params.customer_email ?? null,
    expires_at: expiresAt,
    locale: params.locale ?? null,
    metadata: withMetadata({}, params.metadata),
    mode: params.mode,
    payment_method_collection: params.mode === "subscription" ? "always" : "if_required",
    payment_method_types: params.payment_method_types ?? ["card", "us_bank_account"],
    payment_status: params.mode === "setup" ? "no_payment_required" : "unpaid",
    status: "open",
    submit_type: params.submit_type ?? null,
    success_url: params.success_url,
    total_details: params.mode === "setup" ? null : { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
    url: `${world.url}/sandbox/checkout/${id}`,
  } satisfies Stripe.Checkout.Session;
}

export function detailsOf(
  email: string | null,
  name: string | null,
): Stripe.Checkout.Session.CustomerDetails {
  return {
    address: null,
    business_name: null,
    email,
    individual_name: null,
    name,
    phone: null,
    tax_exempt: "none",
    tax_ids: [],
  };
}

/** Throws a refusal: there is no such checkout. */
export function sessionOf({ state }: World, id: string, param = "session"): Stripe.Checkout.Session {
  const session = state.sessions.get(id);
  if (session === undefined) throw missing("checkout.session", id, param);
  return session;
}

/** Nobody can pay it any more. Throws a refusal: it is not open. */
export function expireSession(world: World, session: Stripe.Checkout.Session): void {
  if (session.status !== "open") {
    throw invalid('Only Checkout Sessions with a status in ["open"] can be expired.');
  }
  Object.assign(session, { status: "expired", url: null } satisfies Partial<Stripe.Checkout.Session>);
  emit(world, "checkout.session.expired", session);
}

/** Closes every open checkout whose time is over. Returns how many. */
export function expireSessions(world: World): number {
  const now = secondsOf(world);
  const due = [...world.state.sessions.values()].filter(
    ({ status, expires_at: end }) => status === "open" && end <= now,
  );
  for (const session of due) expireSession(world, session);
  return due.length;
}
