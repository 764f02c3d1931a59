import type { AccountId } from "@bursar/contract/ids";
import type { MicroCredits } from "@bursar/contract/money";
import type { Queryable } from "../mail/store.ts";

export interface ChangedLevel {
  readonly id: string;
  readonly name: string;
  readonly ownerAccountId: AccountId;
  /** Neither spent nor owed: what open holds reserve is still there. */
  readonly left: MicroCredits;
  readonly before: number | null;
  readonly after: number | null;
  /** Of the account, which names this crossing. */
  readonly seq: bigint;
}

/** The organizations whose credits have crossed 500 or 100 since they were looked at last; those that another process
 *  has in hand are passed over. */
export async function takeChangedLevels(client: Queryable, limit: number): Promise<ChangedLevel[]> {
  const { rows } = await client.query<ChangedLevel>(
    `with levels as (
       select o.organization_id, a.available + a.held - a.owed as net, a.seq,
         case when a.available + a.held - a.owed < 100000000 then 100
           when a.available + a.held - a.owed < 500000000 then 500 end as after
       from organizations o join accounts a using (account_id)
     )
     select o.organization_id as id, o.name, m.person_account_id as "ownerAccountId", l.net as "left",
       o.alert_level as before, l.after, l.seq
     from organizations o join levels l using (organization_id)
     join organization_members m on m.organization_id = o.organization_id and m.role = 'owner'
     where o.alert_level is distinct from l.after
     limit $1 for update of o skip locked`,
    [limit],
  );
  return rows;
}

export async function setAlertLevel(client: Queryable, id: string, level: number | null): Promise<void> {
  await client.query("update organizations set alert_level = $2 where organization_id = $1", [id, level]);
}
