import type { Stripe } from "stripe";
import type { WirePrice } from "../catalogue/wire-price.ts";
import { changedFrom, checkDefault, customerOf } from "../customer/customer.ts";
import { emit } from "../event/emit.ts";
import { idOf } from "../ids.ts";
import { withMetadata } from "../metadata.ts";
import { invalid } from "../refusal.ts";
import { secondsOf, type World } from "../world.ts";
import { collect } from "./collect.ts";
import { draftInvoice, finalizeInvoice } from "./invoice.ts";
import type { Line } from "./line.ts";
import { linesOf, prorationsOf } from "./lines.ts";
import type { Updating } from "./params.ts";
import { type Period, periodAt } from "./period.ts";
import { checkTogether, itemOf, refuseIncomplete } from "./start.ts";
import { createItem, intervalOf, periodOf, setPeriod } from "./subscription.ts";
import { whatIf } from "./what-if.ts";

const CHANGEABLE: ReadonlySet<string> = new Set(["active", "incomplete", "past_due", "trialing"]);

/** Changes a subscription; what was paid for and what is new is prorated as asked.
 *  Throws a refusal: it has ended, items that do not go together, declined where that was to be an error. */
export function changeSubscription(world: World, subscription: Stripe.Subscription, params: Updating): void {
  if (!CHANGEABLE.has(subscription.status)) {
    throw invalid(
      `A ${subscription.status} subscription can only update its cancellation_details and metadata.`,
    );
  }
  // Tried first in a world that nobody sees: refused, it has never happened.
  const trial = whatIf(world);
  const outcome = apply(trial, trial.state.subscriptions.get(subscription.id)!, params);
  if (params.payment_behavior === "error_if_incomplete") refuseIncomplete(world, outcome);
  apply(world, subscription, params);
}

function apply(world: World, subscription: Stripe.Subscription, params: Updating) {
  const before = structuredClone(subscription);
  const old = periodOf(subscription);
  const at = params.proration_date ?? secondsOf(world);
  if (at < old.start || at > old.end) {
    throw invalid("Cannot specify proration date outside of current subscription period.", "proration_date");
  }
  changeFields(world, subscription, params);
  changeItems(world, subscription, params);
  const isNew = restart(world, before, subscription, params);
  const behaviour = params.proration_behavior ?? "create_prorations";
  const isPaidFor = before.status === "active" || before.status === "past_due";
  const lines =
    behaviour === "none" || !isPaidFor ? [] : prorations(world, before, subscription, old, at, isNew);
  addPending(world, subscription.id, lines);
  emit(world, "customer.subscription.updated", subscription, changedFrom(before, subscription));
  if (!isNew && (behaviour !== "always_invoice" || lines.length === 0)) return null;
  const invoice = invoiceNow(world, subscription, isNew);
  return collect(world, invoice, { isOffSession: params.off_session === true });
}

/** With a new period everything old ends and nothing new is a part. */
function prorations(
  world: World,
  before: Stripe.Subscription,
  after: Stripe.Subscription,
  period: Period,
  at: number,
  isNew: boolean,
): Line[] {
  const nothing = { ...after, items: { ...after.items, data: [] } };
  return prorationsOf(world, before, isNew ? nothing : after, period, at);
}

function invoiceNow(world: World, subscription: Stripe.Subscription, isNew: boolean): Stripe.Invoice {
  const period = periodOf(subscription);
  const pending = takePending(world, subscription.id);
  const lines = isNew ? [...pending, ...linesOf(world, subscription, period, false)] : pending;
  const invoice = draftInvoice(world, subscription, lines, "subscription_update", period);
  finalizeInvoice(world, invoice);
  return invoice;
}

function changeFields(world: World, subscription: Stripe.Subscription, params: Updating): void {
  const { default_payment_method: method, cancellation_details: details } = params;
  if (method !== undefined) {
    if (method !== null)
      checkDefault(world, customerOf(world, idOf(subscription.customer)), method, "default_payment_method");
    subscription.default_payment_method = method;
  }
  if (params.description !== undefined) subscription.description = params.description;
  subscription.metadata = withMetadata(subscription.metadata, params.metadata);
  const saving = params.payment_settings?.save_default_payment_method;
  if (saving !== undefined) subscription.payment_settings!.save_default_payment_method = saving;
  if (details !== undefined) {
    Object.assign(subscription.cancellation_details!, {
      ...(details.comment !== undefined && { comment: details.comment }),
      ...(details.feedback !== undefined && { feedback: details.feedback }),
    });
  }
  changeEnd(world, subscription, params);
}

function changeEnd(world: World, subscription: Stripe.Subscription, params: Updating): void {
  const { cancel_at_period_end: atEnd, cancel_at: at } = params;
  if (atEnd !== undefined && at !== undefined && at !== null) {
    throw invalid("You can only set one of `cancel_at_period_end` and `cancel_at`.", "cancel_at");
  }
  if (atEnd === undefined && at === undefined) return;
  const end = atEnd === true ? periodOf(subscription).end : (at ?? null);
  Object.assign(subscription, {
    cancel_at_period_end: atEnd === true,
    cancel_at: end,
    canceled_at: end === null ? null : secondsOf(world),
  } satisfies Partial<Stripe.Subscription>);
  subscription.cancellation_details!.reason = end === null ? null : "cancellation_requested";
}

function changeItems(world: World, subscription: Stripe.Subscription, { items: changes }: Updating): void {
  if (changes === undefined) return;
  const items = subscription.items.data.map((item) => ({ ...item }));
  for (const [index, change] of changes.entries()) {
    const param = `items[${index}]`;
    if (change.id === undefined) {
      items.push(createItem(world, subscription.id, itemOf(world, change, param), periodOf(subscription)));
      continue;
    }
    const place = items.findIndex(({ id }) => id === change.id);
    if (place === -1)
      throw invalid(`No such subscription item: '${change.id}'`, `${param}[id]`, "resource_missing");
    if (change.deleted === true) items.splice(place, 1);
    else items[place] = changed(world, subscription, items[place]!, change, param);
  }
  if (items.length === 0) throw invalid("A subscription must have at least one active item.", "items");
  const plain = items.map(({ price, quantity = 1 }) => ({ price: price as unknown as WirePrice, quantity }));
  checkTogether(world, plain, subscription.currency);
  subscription.items.data = items;
}

function changed(
  world: World,
  subscription: Stripe.Subscription,
  item: Stripe.SubscriptionItem,
  change: NonNullable<Updating["items"]>[number],
  param: string,
): Stripe.SubscriptionItem {
  const { price, price_data: described, quantity = item.quantity ?? 1, metadata } = change;
  const isPriced = price !== undefined || described !== undefined;
  const asked = isPriced ? itemOf(world, { price, price_data: described }, param).price : item.price;
  const made = createItem(
    world,
    subscription.id,
    { price: asked as unknown as WirePrice, quantity, metadata: withMetadata(item.metadata, metadata) },
    periodOf(subscription),
  );
  return { ...made, id: item.id, created: item.created };
}

/** A new rhythm, a new anchor or the end of a trial begins a new period now. Returns whether one began. */
function restart(
  world: World,
  before: Stripe.Subscription,
  after: Stripe.Subscription,
  params: Updating,
): boolean {
  const [old, now] = [before, after].map(({ items }) =>
    intervalOf(items.data[0]!.price as unknown as WirePrice),
  );
  const isOther = old!.unit !== now!.unit || old!.count !== now!.count;
  const endsTrial = params.trial_end === "now" && before.status === "trialing";
  if (before.status === "incomplete") return false;
  if (before.status === "trialing" ? !endsTrial : !isOther && params.billing_cycle_anchor !== "now")
    return false;
  const start = secondsOf(world);
  after.billing_cycle_anchor = start;
  setPeriod(after, periodAt(start, now!, start));
  if (endsTrial)
    Object.assign(after, { status: "active", trial_end: start } satisfies Partial<Stripe.Subscription>);
  return true;
}

/** Adds to what the next invoice asks for. */
export function addPending({ state }: World, id: string, lines: readonly Line[]): void {
  if (lines.length > 0) state.pendingLines.set(id, [...(state.pendingLines.get(id) ?? []), ...lines]);
}

/** What the next invoice asks for besides its period; asked once. */
export function takePending({ state }: World, id: string): readonly Line[] {
  const lines = state.pendingLines.get(id) ?? [];
  state.pendingLines.delete(id);
  return lines;
}
