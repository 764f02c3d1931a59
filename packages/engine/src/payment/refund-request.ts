import type { AccountId, HoldId, PaymentId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { PaymentFailure } from "./payments.ts";

/** Money that somebody wants paid back. */
export interface RefundRequest {
  readonly accountId: AccountId;
  readonly paymentId: PaymentId;
  /** The caller's; with the payment's it makes the provider's idempotency key. */
  readonly id: string;
  readonly kind: "amount" | "unused";
  readonly state: "wanted" | "done" | "refused";
  readonly asked: string;
  /** In the currency's minor unit; null until the unused credits are counted. */
  readonly amount: number | null;
  /** Of the unused credits; null where none are held. */
  readonly holdId: HoldId | null;
  readonly failure: PaymentFailure | null;
  readonly by: string;
  readonly reason: string;
  readonly createdAt: Instant;
  readonly tries: number;
}

export type NewRefundRequest = Omit<RefundRequest, "state" | "failure" | "tries">;
