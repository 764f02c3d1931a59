import { addMonths } from "@bursar/contract/calendar";
import type { GrantId } from "@bursar/contract/ids";
import { addSeconds, type Instant } from "@bursar/contract/instant";
import { divideRoundingDown, larger, type MicroCredits, smaller } from "@bursar/contract/money";
import type { InvoiceRecord, SubscriptionRecord } from "./payments.ts";
import type { PlanTerms, Subscription, SubscriptionState } from "./subscription.ts";

const MONTHS_A_YEAR = 12;
const GRACE_SECONDS = 7 * 86_400;
/** The provider charges a renewal an hour or so after the period's end. So long the old period's credits live on, so that
 *  nobody is without any meanwhile; and then a webhook that got lost is missed. */
const RENEWAL_SECONDS = 2 * 3600;
const RETRY_SECONDS = 3600;

/** What a month of the plan gives. */
export function monthly({ credits, bonus }: Pick<PlanTerms, "credits" | "bonus">): MicroCredits {
  return credits + bonus;
}

export type PaidInvoice = Pick<InvoiceRecord, "id" | "reason" | "amountPaid" | "periodStart" | "periodEnd">;

/** How many months' credits a paid invoice is worth: one for a month, twelve for a year, one for a change. */
export function instalmentsOf({ reason }: Pick<PaidInvoice, "reason">, { interval }: PlanTerms): number {
  if (reason === "other") return 0;
  return reason !== "update" && interval === "year" ? MONTHS_A_YEAR : 1;
}

/** What is to be taken of a month's credits when so much of its invoice was paid back: the same share, rounded down; all
 *  of them when all was. */
export function takenOf(amount: MicroCredits, takenBack: number, paid: number): MicroCredits {
  if (takenBack <= 0 || paid <= 0) return 0n;
  if (takenBack >= paid) return amount;
  return divideRoundingDown(amount * BigInt(takenBack), BigInt(paid));
}

/** What one more reversal takes of what a month had: the share of all that stand, less what the others have taken. */
export function takenFor(
  had: MicroCredits,
  paid: number,
  standing: readonly { readonly of: number; readonly credits: MicroCredits }[],
  amount: number,
): MicroCredits {
  const all = standing.reduce((sum, { of }) => sum + of, amount);
  const taken = standing.reduce((sum, { credits }) => sum + credits, 0n);
  return larger(takenOf(had, all, paid) - taken, 0n);
}

export interface Instalment {
  readonly number: number;
  readonly grantId: GrantId;
  readonly amount: MicroCredits;
  readonly expiresAt: Instant;
}

export interface Instalments {
  readonly due: readonly Instalment[];
  /** When the next one is due; null: these were the last. */
  readonly nextAt: Instant | null;
}

/** The months' credits that a paid invoice is still to give: once each, under names made of the invoice's id, in
 *  whatever order and however often its events come. They were paid for, so none is lost to an outage: one that comes
 *  after its own month lasts a month from then. */
export function dueInstalments(
  invoice: PaidInvoice,
  terms: PlanTerms,
  issued: number,
  now: Instant,
): Instalments {
  const count = instalmentsOf(invoice, terms);
  const due: Instalment[] = [];
  for (let index = issued; index < count; index++) {
    const startsAt = addMonths(invoice.periodStart, index);
    if (startsAt > now) return { due, nextAt: startsAt };
    const { grantId, amount } = instalment(invoice, terms, index);
    due.push({ number: index, grantId, amount, expiresAt: expiryOf(invoice, terms, index, now) });
  }
  return { due, nextAt: null };
}

/** What one of an invoice's months gives, and the name of its grant. */
export function instalment(
  invoice: Pick<PaidInvoice, "id" | "reason" | "amountPaid">,
  terms: PlanTerms,
  index: number,
): Pick<Instalment, "grantId" | "amount"> {
  const isOnly = instalmentsOf(invoice, terms) === 1;
  const grantId = grantIdOf(invoice.id, isOnly ? null : index + 1);
  return { grantId, amount: isOnly ? amountOf(invoice, terms) : monthly(terms) };
}

/** The ledger's key of a paid month. */
export function grantIdOf(invoiceId: string, month: number | null): GrantId {
  return `grant_${invoiceId}${month === null ? "" : `_${month}`}` as GrantId;
}

/** The ledger's key of what was unused of a period's last month, and lives on while the renewal is unpaid. */
export function graceIdOf(invoiceId: string): GrantId {
  return `grant_grace_${invoiceId}` as GrantId;
}

/** A period gives base and bonus in full, whatever discount there was; a change gives as much of what its new plan gives
 *  in a period as was paid of the new plan's price. Rounded down. */
function amountOf(
  { reason, amountPaid }: Pick<PaidInvoice, "reason" | "amountPaid">,
  terms: PlanTerms,
): MicroCredits {
  return reason === "update" ? creditsForChange(terms, amountPaid) : monthly(terms);
}

/** What paying so much for a change to this plan gives at once. */
export function creditsForChange(terms: PlanTerms, paid: number): MicroCredits {
  if (paid <= 0) return 0n;
  const whole = monthly(terms) * BigInt(terms.interval === "year" ? MONTHS_A_YEAR : 1);
  return smaller(whole, divideRoundingDown(whole * BigInt(paid), BigInt(terms.amount)));
}

/** Until when a month's credits last that are given now. */
export function expiryOf(
  invoice: Pick<PaidInvoice, "reason" | "periodStart" | "periodEnd">,
  terms: PlanTerms,
  index: number,
  now: Instant,
): Instant {
  const { interval, rolloverMonths } = terms;
  const isWhole = invoice.reason === "update" || interval === "month";
  const end = isWhole ? invoice.periodEnd : addMonths(invoice.periodStart, index + 1);
  if (end <= now) return addMonths(now, 1 + rolloverMonths);
  return addSeconds(addMonths(end, rolloverMonths), RENEWAL_SECONDS);
}

/** Until when those last that come again now: as long as their month would have had them, and at least a month with the
 *  grace that may follow it, since what comes again does not live on by itself. */
export function expiryAgain(monthExpiresAt: Instant, now: Instant): Instant {
  return Math.max(monthExpiresAt, addSeconds(addMonths(now, 1), RENEWAL_SECONDS + GRACE_SECONDS)) as Instant;
}

const STATES: Record<SubscriptionRecord["status"], SubscriptionState> = {
  incomplete: "starting",
  active: "active",
  past_due: "past_due",
  canceled: "ended",
};

export type Synced = Pick<
  Subscription,
  | "providerId"
  | "state"
  | "renewsAs"
  | "periodStart"
  | "periodEnd"
  | "cancelAtPeriodEnd"
  | "pastDueSince"
  | "graceUntil"
  | "endReason"
  | "endedAt"
  | "url"
> & { readonly dueAt: Instant | null };

/** What a subscription has become by what the provider says of it now. */
export function synced(subscription: Subscription, record: SubscriptionRecord, now: Instant): Synced {
  const state = STATES[record.status];
  const pastDueSince = state === "past_due" ? (subscription.pastDueSince ?? now) : null;
  const graceUntil = pastDueSince === null ? null : addSeconds(pastDueSince, GRACE_SECONDS);
  const isOver = state === "ended";
  return {
    providerId: record.providerId,
    state,
    renewsAs: record.planId ?? subscription.renewsAs,
    periodStart: record.periodStart,
    periodEnd: record.periodEnd,
    cancelAtPeriodEnd: record.cancelAtPeriodEnd,
    pastDueSince,
    graceUntil,
    endReason: isOver ? (subscription.endReason ?? endReasonOf(subscription)) : null,
    endedAt: isOver ? (subscription.endedAt ?? now) : null,
    url: state === "starting" ? subscription.url : null,
    dueAt: isOver ? null : askAgainAt(state, record, graceUntil, now),
  };
}

function endReasonOf({ state }: Subscription): Subscription["endReason"] {
  if (state === "starting") return "declined";
  return state === "past_due" ? "unpaid" : "canceled";
}

/** Webhooks tell everything sooner; this is for those that get lost. */
function askAgainAt(
  state: SubscriptionState,
  { periodStart, periodEnd }: Pick<SubscriptionRecord, "periodStart" | "periodEnd">,
  graceUntil: Instant | null,
  now: Instant,
): Instant {
  const soon = addSeconds(now, RETRY_SECONDS);
  if (graceUntil !== null) {
    // The moment at which the credits of the last paid period end, and those of grace begin.
    const next = [addSeconds(periodStart, RENEWAL_SECONDS), graceUntil].filter((at) => at > now && at < soon);
    return Math.min(soon, ...next) as Instant;
  }
  const renewed = addSeconds(periodEnd, RENEWAL_SECONDS);
  return state === "active" && renewed > now ? renewed : soon;
}

/** A dearer plan begins at once and is charged for; any other one begins with the next period. */
export function isUpgrade(from: PlanTerms, to: PlanTerms): boolean {
  return to.amount > from.amount;
}
