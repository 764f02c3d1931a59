import type { Queryable } from "../mail/store.ts";
import type { OrganizationRole } from "./decide.ts";

interface Held {
  readonly organizationId: string;
  readonly role: OrganizationRole;
}

/** Locks the organizations of a person in the order of their ids, then reads the roles: what a transfer that ran until
 *  now has changed is seen. */
export async function lockMemberships(client: Queryable, personId: string): Promise<Held[]> {
  await client.query(
    `select 1 from organizations o
     where exists (select from organization_members m where m.organization_id = o.organization_id and m.person_id = $1)
     order by o.organization_id for update`,
    [personId],
  );
  const { rows } = await client.query<Held>(
    `select organization_id as "organizationId", role from organization_members where person_id = $1
     order by organization_id`,
    [personId],
  );
  return rows;
}

/** As of now: who departs decides it again under the locks. */
export async function organizationsOwned(queryable: Queryable, personId: string): Promise<string[]> {
  const { rows } = await queryable.query<{ id: string }>(
    `select organization_id as id from organization_members where person_id = $1 and role = 'owner'
     order by organization_id`,
    [personId],
  );
  return rows.map(({ id }) => id);
}
