import { type AccountId, newOperationId } from "@bursar/contract/ids";
import { formatInstant, type Instant } from "@bursar/contract/instant";
import type { PaymentDeps } from "./deps.ts";
import { type CustomerDeleted, type PaymentMethod, PaymentsUnavailable } from "./payments.ts";
import {
  beginCustomer,
  beginSetupPage,
  forgetCustomer,
  keepCustomer,
  keepSetupPage,
  readAccountName,
  readCustomer,
  renewCustomer,
  renewSetupPage,
} from "./store-customers.ts";

/** The provider's customer of an account, made when first needed. null: there is no such account. */
export async function customerOf(deps: PaymentDeps, accountId: AccountId): Promise<string | null> {
  const known = await readCustomer(deps.pool, accountId);
  if (known !== null) return known;
  const name = await readAccountName(deps.pool, accountId);
  if (name === null) return null;
  const newId = newOperationId();
  const row = await beginCustomer(deps.pool, accountId, newId, deps.clock.now());
  if (row.customerId !== null) return row.customerId;
  const { creationId, createdAt } = row;
  // Whoever began it got no answer, or an error that its id repeats for ever.
  const found =
    creationId === newId ? null : await deps.payments.findCustomer({ accountId, since: createdAt });
  const create = () => deps.payments.createCustomer({ accountId, name, creationId });
  const renew = () => renewCustomer(deps.pool, accountId, creationId, newOperationId());
  return keepCustomer(deps.pool, accountId, found ?? (await orUnderNewId(create, renew)));
}

/** What the provider has answered with a failure of its own, it may answer so for ever under that id: the next try has
 *  another one. */
async function orUnderNewId<Answer>(ask: () => Promise<Answer>, renew: () => Promise<void>): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof PaymentsUnavailable && error.hasAnswered) await renew();
    throw error;
  }
}

/** Does something with the account's customer; one that the provider has deleted is replaced, once. null: there is no
 *  such account, or the provider deletes customers as fast as they are made. */
export async function withCustomer<Outcome>(
  deps: PaymentDeps,
  accountId: AccountId,
  work: (customerId: string) => Promise<Outcome | CustomerDeleted>,
): Promise<Outcome | null> {
  for (const isLast of [false, true]) {
    const customerId = await customerOf(deps, accountId);
    if (customerId === null) return null;
    const outcome = await work(customerId);
    if (!isCustomerDeleted(outcome)) return outcome;
    await forgetCustomer(deps.pool, customerId);
    if (isLast) return null;
  }
  return null;
}

/** The provider's page on which a person enters a payment method, written down before it is made: whoever got no answer
 *  and asks again is led to the same one. null: there is no such account. Throws: PaymentsUnavailable. */
export function setupPage(
  deps: PaymentDeps,
  accountId: AccountId,
  returnUrl: string,
): Promise<{ readonly url: string } | null> {
  return withCustomer<{ readonly url: string }>(deps, accountId, async (customerId) => {
    const wanted = { accountId, customerId, returnUrl };
    const asked = { ...wanted, pageId: newOperationId() };
    const pageId = await beginSetupPage(deps.pool, asked, deps.clock.now());
    const open = () => deps.payments.setupPage({ ...wanted, pageId });
    const renew = () => renewSetupPage(deps.pool, accountId, pageId, newOperationId());
    const page = await orUnderNewId(open, renew);
    if (!isCustomerDeleted(page)) await keepSetupPage(deps.pool, accountId, pageId, page.url);
    return page;
  });
}

function isCustomerDeleted(outcome: unknown): outcome is CustomerDeleted {
  return (
    typeof outcome === "object" &&
    outcome !== null &&
    "kind" in outcome &&
    outcome.kind === "customer_deleted"
  );
}

/** The saved methods, the default one first. Empty where nothing was ever saved; asks the provider. */
export async function methodsOf(deps: PaymentDeps, accountId: AccountId): Promise<PaymentMethod[]> {
  const customerId = await readCustomer(deps.pool, accountId);
  if (customerId === null) return [];
  const methods = await deps.payments.methods(customerId);
  if (methods === null) {
    await forgetCustomer(deps.pool, customerId);
    return [];
  }
  return methods.toSorted((a, b) => Number(b.isDefault) - Number(a.isDefault));
}

/** A card is good through the last day of its month. */
export function isUsable({ expiresMonth }: Pick<PaymentMethod, "expiresMonth">, now: Instant): boolean {
  return expiresMonth === null || expiresMonth >= formatInstant(now).slice(0, 7);
}

/** What a charge is tried on: the default method, else the first usable one. */
export async function usableMethod(deps: PaymentDeps, accountId: AccountId): Promise<PaymentMethod | null> {
  const methods = await methodsOf(deps, accountId);
  return methods.find((method) => isUsable(method, deps.clock.now())) ?? null;
}

/** Where no method is the default, because it was removed or there never was one, the first usable one becomes it. */
export async function ensureDefault(deps: PaymentDeps, accountId: AccountId): Promise<void> {
  const methods = await methodsOf(deps, accountId);
  const next = methods.find((method) => isUsable(method, deps.clock.now())) ?? methods[0];
  if (next === undefined || methods.some(({ isDefault }) => isDefault)) return;
  const customerId = await readCustomer(deps.pool, accountId);
  if (customerId !== null) await deps.payments.setDefault(customerId, next.id);
}
