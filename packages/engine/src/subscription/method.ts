import type { AccountId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { SyncDeps } from "./deps.ts";
import { openSubscription } from "./subscribe.ts";

type MethodDeps = Pick<SyncDeps, "pool" | "payments">;

/** A subscription is charged on the method that it was begun with, until the account's default becomes another one or
 *  that method is removed: from then on it is charged on whatever is the default. `removed`: null, where the default has
 *  changed. `at`: a default that is older than the subscription says nothing about it; null: it is of this moment.
 *  Throws: PaymentsUnavailable. */
export async function followDefault(
  { pool, payments }: MethodDeps,
  accountId: AccountId,
  { removed, at }: { readonly removed: string | null; readonly at: Instant | null },
): Promise<void> {
  const subscription = await openSubscription({ pool }, accountId);
  if (subscription?.providerId == null) return;
  if (removed === null && at !== null && at <= subscription.createdAt) return;
  const record = await payments.subscription(subscription.providerId);
  if (record === null || record.methodId === null || record.status === "canceled") return;
  if (removed !== null && record.methodId !== removed) return;
  await payments.followDefault(subscription.providerId);
}
