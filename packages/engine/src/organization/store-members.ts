import type { AccountId } from "@bursar/contract/ids";
import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type { Queryable } from "../mail/store.ts";
import type { Member, MemberCaps, MemberUse, OrganizationRole } from "./decide.ts";

export interface MemberRecord {
  readonly personId: string;
  readonly personAccountId: AccountId;
  readonly role: OrganizationRole;
  readonly day: MicroCredits | null;
  readonly month: MicroCredits | null;
  readonly total: MicroCredits | null;
  readonly joinedAt: Instant;
}

const COLUMNS = `person_id as "personId", person_account_id as "personAccountId", role, cap_day as day,
  cap_month as month, cap_total as total, joined_at as "joinedAt"`;

export async function findMember(
  client: Queryable,
  organizationId: string,
  personId: string,
): Promise<MemberRecord | null> {
  const { rows } = await client.query<MemberRecord>(
    `select ${COLUMNS} from organization_members where organization_id = $1 and person_id = $2`,
    [organizationId, personId],
  );
  return rows[0] ?? null;
}

/** The owner first, then by when they joined. */
export async function listMembers(client: Queryable, organizationId: string): Promise<MemberRecord[]> {
  const { rows } = await client.query<MemberRecord>(
    `select ${COLUMNS} from organization_members where organization_id = $1
     order by role = 'owner' desc, joined_at, person_id`,
    [organizationId],
  );
  return rows;
}

export interface NewMember {
  readonly organizationId: string;
  readonly member: Member;
  readonly role: OrganizationRole;
  readonly caps: MemberCaps;
  readonly joinedAt: Instant;
}

/** Changes nothing for somebody who is a member already. */
export async function insertMember(client: Queryable, joining: NewMember): Promise<void> {
  const { organizationId, member, role, caps, joinedAt } = joining;
  await client.query(
    `insert into organization_members
       (organization_id, person_id, person_account_id, role, cap_day, cap_month, cap_total, joined_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (organization_id, person_id) do nothing`,
    [
      ...[organizationId, member.personId, member.accountId, role, caps.day, caps.month, caps.total],
      formatPostgresTimestamp(joinedAt),
    ],
  );
}

export async function updateRole(
  client: Queryable,
  organizationId: string,
  personId: string,
  role: OrganizationRole,
): Promise<void> {
  await client.query(
    "update organization_members set role = $3 where organization_id = $1 and person_id = $2",
    [organizationId, personId, role],
  );
}

export async function updateCaps(
  client: Queryable,
  organizationId: string,
  personId: string,
  { day, month, total }: MemberCaps,
): Promise<void> {
  await client.query(
    `update organization_members set cap_day = $3, cap_month = $4, cap_total = $5
     where organization_id = $1 and person_id = $2`,
    [organizationId, personId, day, month, total],
  );
}

/** With the requests that the member has open. */
export async function deleteMember(
  client: Queryable,
  organizationId: string,
  personId: string,
): Promise<void> {
  await client.query(
    `update organization_requests set state = 'denied'
     where organization_id = $1 and person_id = $2 and state = 'open'`,
    [organizationId, personId],
  );
  await client.query("delete from organization_members where organization_id = $1 and person_id = $2", [
    organizationId,
    personId,
  ]);
}

/** Which counters of the ledger tell a member's use. */
export interface UseCounter {
  readonly capId: string;
  readonly windowStart: string;
}

/** What the ledger has counted. */
export async function readUse(
  client: Queryable,
  accountId: AccountId,
  counters: Readonly<Record<keyof MemberUse, UseCounter>>,
): Promise<MemberUse> {
  const named = Object.entries(counters);
  const { rows } = await client.query<{ name: keyof MemberUse; used: MicroCredits }>(
    `select n.name, c.used from unnest($2::text[], $3::text[], $4::text[]) as n (name, cap_id, window_start)
     join cap_counters c on c.account_id = $1 and c.cap_id = n.cap_id and c.window_start = n.window_start`,
    [
      accountId,
      named.map(([name]) => name),
      named.map(([, { capId }]) => capId),
      named.map(([, { windowStart }]) => windowStart),
    ],
  );
  return { day: 0n, month: 0n, total: 0n, ...Object.fromEntries(rows.map(({ name, used }) => [name, used])) };
}
