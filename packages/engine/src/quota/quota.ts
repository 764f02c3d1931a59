import type { AccountId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import { findAccount } from "../account/store.ts";
import type { Quota, Rollover } from "./decide.ts";
import { type ResetDeps, resetIfDue } from "./reset.ts";
import { findQuota, insertQuota, updateQuota } from "./store.ts";

export interface PutQuotaRequest {
  readonly accountId: AccountId;
  readonly credits: MicroCredits;
  /** Absent: now for a new quota, and as it is for an old one. */
  readonly anchor?: Instant | undefined;
  readonly rollover: Rollover | null;
  readonly by: string;
}

export type PutQuotaOutcome =
  | { readonly kind: "account_unknown"; readonly accountId: AccountId }
  | { readonly kind: "anchor_fixed"; readonly anchor: Instant }
  | { readonly kind: "put"; readonly isNew: boolean; readonly quota: Quota };

/** Gives an account a monthly quota, whose first cycle is issued at once, or changes its terms from the next cycle on.
 *  The anchor stays what it was at first: a cycle that moved could be issued twice.
 *  Outcomes, first match wins: account_unknown, anchor_fixed, put. Throws as `resetIfDue` does. */
export async function putQuota(deps: ResetDeps, request: PutQuotaRequest): Promise<PutQuotaOutcome> {
  const { pool, clock } = deps;
  const { accountId, anchor } = request;
  if ((await findAccount(pool, accountId)) === null) return { kind: "account_unknown", accountId };
  const now = clock.now();
  const isNew = await insertQuota(pool, { ...request, anchor: anchor ?? now }, now);
  if (!isNew) {
    const before = await existing(deps, accountId);
    const terms = { ...request, anchor: anchor ?? before.anchor };
    if (!(await updateQuota(pool, terms, now))) return { kind: "anchor_fixed", anchor: before.anchor };
  }
  await resetIfDue(deps, accountId);
  return { kind: "put", isNew, quota: await existing(deps, accountId) };
}

/** Quotas are never deleted. */
async function existing({ pool }: ResetDeps, accountId: AccountId): Promise<Quota> {
  const quota = await findQuota(pool, accountId);
  if (quota === null) throw new Error(`the quota of ${accountId} is gone`);
  return quota;
}
