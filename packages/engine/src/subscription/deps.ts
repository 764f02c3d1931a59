import type { Deps } from "../deps.ts";
import type { Payer, SubscriptionPayments } from "./payments.ts";

/** What subscriptions need of the provider. */
export interface SubscriptionProvider {
  readonly payments: SubscriptionPayments;
  readonly payer: Payer;
}

export interface SubscriptionDeps
  extends Pick<Deps, "ledger" | "pool" | "clock" | "log" | "prices">,
    SubscriptionProvider {}
