import type { Deps } from "../deps.ts";
import type { Payer, SubscriptionPayments } from "./payments.ts";

/** What subscriptions need of the provider. */
export interface SubscriptionProvider {
  readonly payments: SubscriptionPayments;
  readonly payer: Payer;
}

/** For taking in what the provider says. */
export interface SyncDeps
  extends Pick<Deps, "ledger" | "pool" | "clock" | "log" | "prices">,
    Pick<SubscriptionProvider, "payments"> {}

/** For beginning, and for carrying on what has begun. */
export interface SubscriptionDeps extends SyncDeps, SubscriptionProvider {}
