import type { AccountId } from "@bursar/contract/ids";
import type { MicroCredits } from "@bursar/contract/money";
import { revokedCounter } from "../ledger/caps.ts";
import type { Queryable } from "../mail/store.ts";
import { graceIdOf } from "../subscription/decide.ts";

/** Credits that an account has paid for, in money and itself, and was not paid back for. What lives on of a plan while
 *  its renewal is unpaid was counted when it was paid. */
export async function purchasedBy(queryable: Queryable, accountId: AccountId): Promise<MicroCredits> {
  const { rows } = await queryable.query<{ sum: bigint }>(
    `select coalesce(sum(case when starts_with(g.grant_id, $2) then 0 else g.granted end
       - coalesce(revoked.used, 0)), 0)::int8 as sum
     from grants g left join cap_counters revoked on revoked.account_id = g.account_id
       and revoked.cap_id = $3 || g.grant_id and revoked.window_start = 'total'
     where g.account_id = $1 and g.source in ('purchase', 'topup', 'subscription')`,
    [accountId, graceIdOf(""), revokedCounter("")],
  );
  return rows[0]!.sum;
}
