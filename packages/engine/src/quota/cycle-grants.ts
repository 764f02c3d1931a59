import type { Period } from "@bursar/contract/calendar";
import type { AccountId } from "@bursar/contract/ids";
import type { MicroCredits } from "@bursar/contract/money";
import type { GrantSource } from "../ledger/kinds.ts";

/** Credits that come with an account's cycle besides its quota, and end with it. */
export interface CycleGrant {
  /** Part of the grant's id, and so its identity within the cycle: letters, digits and hyphens. */
  readonly name: string;
  readonly amount: MicroCredits;
  readonly source: GrantSource;
}

/** Asked at each reset. The same account and cycle must be answered alike: a reset may be repeated. */
export type CycleGrants = (accountId: AccountId, cycle: Period) => Promise<readonly CycleGrant[]>;
