import { type AccountId, newOperationId } from "@bursar/contract/ids";
import { formatInstant, type Instant } from "@bursar/contract/instant";
import type { Deps } from "../deps.ts";
import type { PaymentMethod, Payments } from "./payments.ts";
import {
  beginCustomer,
  forgetCustomer,
  keepCustomer,
  readAccountName,
  readCustomer,
} from "./store-customers.ts";

export interface PaymentDeps extends Pick<Deps, "pool" | "clock"> {
  readonly payments: Payments;
}

/** The provider's customer of an account, made when first needed. null: there is no such account. */
export async function customerOf(deps: PaymentDeps, accountId: AccountId): Promise<string | null> {
  const known = await readCustomer(deps.pool, accountId);
  if (known !== null) return known;
  const name = await readAccountName(deps.pool, accountId);
  if (name === null) return null;
  const row = await beginCustomer(deps.pool, accountId, newOperationId(), deps.clock.now());
  if (row.customerId !== null) return row.customerId;
  const { creationId } = row;
  const customerId = await deps.payments.createCustomer({ accountId, name, creationId });
  await keepCustomer(deps.pool, creationId, customerId);
  return customerId;
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
