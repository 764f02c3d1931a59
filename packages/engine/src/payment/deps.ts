import type { Deps } from "../deps.ts";
import type { Payments } from "./payments.ts";

/** For asking the provider. */
export interface PaymentDeps extends Pick<Deps, "pool" | "clock"> {
  readonly payments: Payments;
}

/** For carrying a payment on. */
export type AdvanceDeps = PaymentDeps & Pick<Deps, "ledger" | "log">;
