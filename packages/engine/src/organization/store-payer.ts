import type { AccountId } from "@bursar/contract/ids";
import type pg from "pg";
import type { MemberRecord } from "./store-members.ts";

export interface Membership extends MemberRecord {
  readonly organizationId: string;
  readonly accountId: AccountId;
  readonly hasRepository: boolean;
}

/** The memberships of a person in the organization that is named, or in those that have the repository. One indexed
 *  read, because it comes before every command of a member. */
export async function membershipsFor(
  pool: pg.Pool,
  asked: { personId: string; organizationId: string | null; repository: string | null },
): Promise<Membership[]> {
  const { rows } = await pool.query<Membership>({
    name: "organization_payer",
    text: `select m.organization_id as "organizationId", o.account_id as "accountId", m.person_id as "personId",
        m.person_account_id as "personAccountId", m.role, m.cap_day as day, m.cap_month as month, m.cap_total as total,
        m.joined_at as "joinedAt", r.repository is not null as "hasRepository"
      from organization_members m join organizations o using (organization_id)
      left join organization_repositories r on r.organization_id = m.organization_id and r.repository = $3
      where m.person_id = $1 and ($2::text is null or m.organization_id = $2)
        and ($2::text is not null or r.repository is not null)
      order by m.organization_id`,
    values: [asked.personId, asked.organizationId, asked.repository],
  });
  return rows;
}
