import type { Currency } from "@bursar/contract/fiat";
import type { AccountId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import { randomText } from "@bursar/contract/random-text";

export type SubscriptionId = string & { readonly __id: "subscription" };

const tail = randomText("0123456789abcdefghjkmnpqrstvwxyz", 24);
export const newSubscriptionId = (): SubscriptionId => `subscription_${tail()}` as SubscriptionId;

/** starting → active ⇄ past_due → ended; or failed, where it never began. */
export type SubscriptionState = "starting" | "active" | "past_due" | "ended" | "failed";

/** canceled: by its owner; unpaid: grace ran out; declined: the first payment; abandoned: nobody paid on the page. */
export type EndReason = "canceled" | "unpaid" | "declined" | "abandoned";

/** What one plan gives and costs, in one currency. */
export interface PlanTerms {
  readonly planId: string;
  readonly name: string;
  /** How it is paid; credits come each month. */
  readonly interval: "month" | "year";
  /** Micro-credits each month, and on top of them. */
  readonly credits: MicroCredits;
  readonly bonus: MicroCredits;
  /** How much longer than its own month a month's credits last. */
  readonly rolloverMonths: number;
  /** A period's price in the currency's minor unit. */
  readonly amount: number;
}

export interface Subscription {
  readonly accountId: AccountId;
  readonly id: SubscriptionId;
  /** The provider's own id, once known. */
  readonly providerId: string | null;
  readonly state: SubscriptionState;
  readonly planId: string;
  readonly renewsAs: string;
  readonly currency: Currency;
  readonly methodId: string | null;
  readonly returnUrl: string | null;
  readonly pageId: string | null;
  readonly url: string | null;
  readonly periodStart: Instant | null;
  readonly periodEnd: Instant | null;
  readonly cancelAtPeriodEnd: boolean;
  readonly pastDueSince: Instant | null;
  readonly graceUntil: Instant | null;
  readonly endReason: EndReason | null;
  readonly failure: string | null;
  readonly createdAt: Instant;
  readonly createdBy: string;
  readonly endedAt: Instant | null;
  readonly version: number;
}

export function isOpen({ state }: Pick<Subscription, "state">): boolean {
  return state === "starting" || state === "active" || state === "past_due";
}
