import type { WirePrice } from "../catalogue/wire-price.ts";

/** One line of what is bought, as a checkout shows it. */
export interface SessionItem {
  readonly id: string;
  readonly object: "item";
  readonly adjustable_quantity: null;
  readonly amount_discount: number;
  readonly amount_subtotal: number;
  readonly amount_tax: number;
  readonly amount_total: number;
  readonly currency: string;
  readonly description: string | null;
  readonly metadata: null;
  readonly price: WirePrice;
  readonly quantity: number;
}

/** What a checkout does when it is paid: not part of the session that its owner sees. */
export interface SessionPlan {
  readonly items: readonly SessionItem[];
  readonly payment: {
    readonly description?: string | null | undefined;
    readonly metadata?: Record<string, string> | null | undefined;
    readonly receipt_email?: string | null | undefined;
    readonly setup_future_usage?: "off_session" | "on_session" | undefined;
    readonly statement_descriptor?: string | null | undefined;
    readonly statement_descriptor_suffix?: string | null | undefined;
  };
  readonly subscription: {
    readonly description?: string | null | undefined;
    readonly metadata?: Record<string, string> | null | undefined;
    readonly trial_period_days?: number | undefined;
  };
}
