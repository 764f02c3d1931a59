import { addSeconds } from "@bursar/contract/instant";
import { advance } from "./advance.ts";
import { retryDelaySeconds } from "./decide.ts";
import type { AdvanceDeps } from "./deps.ts";
import type { Payment } from "./payment.ts";
import { putOff, takeDuePayments } from "./store.ts";

/** Longer than the payment provider may take to answer. */
const LEASE_SECONDS = 120;
const BATCH = 8;

/** Carries on every payment that is due: charges whose answer was lost, pages that were paid, promises to be kept. Any
 *  number of processes may. Returns how many it took. Throws: database unreachable. */
export async function carryOnPayments(deps: AdvanceDeps): Promise<number> {
  const payments = await takeDuePayments(deps.pool, {
    now: deps.clock.now(),
    limit: BATCH,
    leaseSeconds: LEASE_SECONDS,
  });
  await Promise.all(payments.map((payment) => attempt(deps, payment)));
  return payments.length;
}

async function attempt(deps: AdvanceDeps, payment: Payment): Promise<void> {
  try {
    await advance(deps, payment);
  } catch (error) {
    deps.log.warn(
      { err: error, paymentId: payment.id, tries: payment.tries },
      "a payment waits; it is tried again",
    );
    const dueAt = addSeconds(deps.clock.now(), retryDelaySeconds(payment.tries));
    await putOff(deps.pool, payment, { dueAt, intentId: null });
  }
}
