import type { AccountId } from "@bursar/contract/ids";
import type { PaymentDeps } from "./deps.ts";
import { waitingPayments } from "./store.ts";

/** Nobody pays or confirms any more what still waits for it, as when nobody owns the account any more. What has become of
 *  each is learnt as ever, from the provider's events or the next look. Once more is no harm.
 *  Throws: PaymentsUnavailable, database unreachable. */
export async function callOffWaiting({ pool, payments }: PaymentDeps, accountId: AccountId): Promise<void> {
  for (const { checkoutId, intentId } of await waitingPayments(pool, accountId)) {
    if (checkoutId !== null) await payments.closeCheckout(checkoutId);
    if (intentId !== null) await payments.cancel(intentId);
  }
}
