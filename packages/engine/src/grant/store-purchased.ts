import type { AccountId } from "@bursar/contract/ids";
import type { MicroCredits } from "@bursar/contract/money";
import type { Queryable } from "../mail/store.ts";

/** Credits that an account has ever paid for, in money and itself. */
export async function purchasedBy(queryable: Queryable, accountId: AccountId): Promise<MicroCredits> {
  const { rows } = await queryable.query<{ sum: bigint }>(
    `select coalesce(sum(granted), 0)::int8 as sum from grants
     where account_id = $1 and source in ('purchase', 'topup', 'subscription')`,
    [accountId],
  );
  return rows[0]!.sum;
}
