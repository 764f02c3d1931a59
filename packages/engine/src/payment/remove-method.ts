import type { AccountId } from "@bursar/contract/ids";
import type { PaymentDeps } from "./deps.ts";
import { ensureDefault, methodsOf } from "./methods.ts";
import { noteRemoval, wasRemoved } from "./store-removals.ts";

/** Takes a saved method from an account for good; where it was the default, the next usable one becomes it. Once more is
 *  no harm: whoever got no answer asks again. False: it is none of the account's, and never was one that was removed here.
 *  Throws: PaymentsUnavailable, database unreachable. */
export async function removeMethod(
  deps: PaymentDeps,
  accountId: AccountId,
  methodId: string,
): Promise<boolean> {
  const isSaved = (await methodsOf(deps, accountId)).some(({ id }) => id === methodId);
  if (!isSaved && !(await wasRemoved(deps.pool, accountId, methodId))) return false;
  if (isSaved) {
    await noteRemoval(deps.pool, accountId, methodId, deps.clock.now());
    await deps.payments.detach(methodId);
  }
  await ensureDefault(deps, accountId);
  return true;
}

/** Takes all of them, as when nobody owns the account any more. Once more is no harm.
 *  Throws: PaymentsUnavailable, database unreachable. */
export async function removeMethods(deps: PaymentDeps, accountId: AccountId): Promise<void> {
  for (const { id } of await methodsOf(deps, accountId)) {
    await noteRemoval(deps.pool, accountId, id, deps.clock.now());
    await deps.payments.detach(id);
  }
}
