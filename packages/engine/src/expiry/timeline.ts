import type { AccountId, GrantId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import { type Balance, balance } from "../balance/balance.ts";
import type { Deps } from "../deps.ts";
import type { GrantSource } from "../ledger/kinds.ts";

export interface Expiry {
  readonly grantId: GrantId;
  readonly source: GrantSource;
  readonly amount: MicroCredits;
  readonly at: Instant;
  /** With all that expire before it. */
  readonly cumulative: MicroCredits;
}

export interface Timeline {
  readonly accountId: AccountId;
  readonly expiries: readonly Expiry[];
  /** What never expires. */
  readonly lasting: MicroCredits;
}

/** What of the available credits expires when, if nothing is spent; the soonest first. null: no such account. */
export async function timeline(
  deps: Pick<Deps, "pool" | "clock">,
  accountId: AccountId,
): Promise<Timeline | null> {
  const found = await balance(deps, accountId);
  return found === null ? null : timelineOf(found);
}

export function timelineOf({ accountId, grants }: Balance): Timeline {
  const ending = grants.flatMap((grant) =>
    grant.expiresAt === null ? [] : [{ ...grant, at: grant.expiresAt }],
  );
  let cumulative = 0n;
  const expiries = ending
    .sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1))
    .map(({ id, source, remaining, at }) => {
      cumulative += remaining;
      return { grantId: id, source, amount: remaining, at, cumulative };
    });
  const lasting = grants.reduce((sum, grant) => (grant.expiresAt === null ? sum + grant.remaining : sum), 0n);
  return { accountId, expiries, lasting };
}
