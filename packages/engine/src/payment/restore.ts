import { type AccountId, ID_PATTERN, newLink, newOperationId, type PaymentId } from "@bursar/contract/ids";
import type { AdvanceDeps } from "./deps.ts";
import { grantIdOf, type Payment } from "./payment.ts";
import { insertPayment, readPayment } from "./store.ts";
import { beginCustomer, keepCustomer, readAccountName } from "./store-customers.ts";

/* A database that was restored from a backup is older than what the provider knows: what was bought since is told by
 * its events, which are read again from before the backup. */

/** Writes a payment down that is paid at the provider and not known here; `advance` then gives its credits, under the
 *  name that they had. null: it is not paid, or is another one, or its account is not known here either, which is logged.
 *  Throws: the provider does not say for how many credits it was, or names it as nothing is named here; PaymentsUnavailable. */
export async function restorePayment(
  deps: AdvanceDeps,
  { accountId, id, intentId }: { accountId: AccountId; id: PaymentId; intentId: string },
): Promise<Payment | null> {
  const sale = await deps.payments.sale(intentId);
  // What the event is about may have been given any name at the provider, as a refund by whoever made it.
  if (sale === null || sale.accountId !== accountId || sale.paymentId !== id) return null;
  if (!(await isKnown(deps, accountId))) {
    deps.log.warn(
      { accountId, paymentId: id, intentId },
      "a payment was paid for an account that is not here",
    );
    return null;
  }
  if (!ID_PATTERN.test(id)) throw new Error(`${id} of ${accountId} is no name that a payment has here`);
  const { kind, credits, amount, currency, createdAt, chargedAt } = sale;
  if (credits === null)
    throw new Error(
      `${id} of ${accountId} is paid and not known here, nor how many credits it bought: say so at the provider, as ` +
        `bursar_credits in the metadata of ${intentId}, and process this event again`,
    );
  const paid = { kind, credits, amount, currency, createdAt, chargedAt } as const;
  const facts = { accountId, id, ...paid, method: "saved" } as const;
  const unknown = {
    paymentMethodId: null,
    returnUrl: null,
    netBefore: null,
    threshold: null,
    requestId: null,
  };
  const names = { grantId: grantIdOf(id), link: newLink(), asked: "restored", by: "system:payments" };
  // Over until it is seen to be paid: so it is in nobody's way, also where another top-up is open.
  await insertPayment(deps.pool, { ...facts, ...unknown, ...names }, "canceled", 0);
  deps.log.warn({ accountId, paymentId: id, intentId }, "a paid payment was not known here; it is restored");
  return readPayment(deps.pool, accountId, id);
}

/** Keeps the customer that the provider has for an account, with its saved methods, where none is known here. */
export async function restoreCustomer(
  deps: AdvanceDeps,
  accountId: AccountId,
  customerId: string,
): Promise<void> {
  if (!(await isKnown(deps, accountId))) return;
  await beginCustomer(deps.pool, accountId, newOperationId(), deps.clock.now());
  await keepCustomer(deps.pool, accountId, customerId);
}

async function isKnown({ pool }: AdvanceDeps, accountId: AccountId): Promise<boolean> {
  return (await readAccountName(pool, accountId)) !== null;
}
