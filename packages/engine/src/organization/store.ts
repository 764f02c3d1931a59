import type { AccountId } from "@bursar/contract/ids";
import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type pg from "pg";
import type { Queryable } from "../mail/store.ts";
import type { OrganizationRole } from "./decide.ts";

export interface OrganizationRecord {
  readonly id: string;
  readonly accountId: AccountId;
  readonly name: string;
  readonly defaultDay: MicroCredits | null;
  readonly defaultMonth: MicroCredits | null;
  readonly defaultTotal: MicroCredits | null;
  readonly createdAt: Instant;
}

const COLUMNS = `o.organization_id as id, o.account_id as "accountId", o.name, o.default_cap_day as "defaultDay",
  o.default_cap_month as "defaultMonth", o.default_cap_total as "defaultTotal", o.created_at as "createdAt"`;

/** With a lock, changes of the organization take turns until the transaction ends. */
export async function findOrganization(
  client: Queryable,
  id: string,
  locks: boolean,
): Promise<OrganizationRecord | null> {
  const { rows } = await client.query<OrganizationRecord>(
    `select ${COLUMNS} from organizations o where organization_id = $1 ${locks ? "for update" : ""}`,
    [id],
  );
  return rows[0] ?? null;
}

/** With its account, which is new in this transaction: so is the organization. */
export async function insertOrganization(
  client: Queryable,
  organization: Pick<OrganizationRecord, "id" | "accountId" | "name" | "createdAt"> & { createdBy: string },
): Promise<void> {
  const { id, accountId, name, createdAt, createdBy } = organization;
  await client.query(
    `insert into organizations (organization_id, account_id, name, created_at, created_by)
     values ($1, $2, $3, $4, $5)`,
    [id, accountId, name, formatPostgresTimestamp(createdAt), createdBy],
  );
}

export async function updateOrganization(client: Queryable, changed: OrganizationRecord): Promise<void> {
  const { id, name, defaultDay, defaultMonth, defaultTotal } = changed;
  await client.query(
    `update organizations set name = $2, default_cap_day = $3, default_cap_month = $4, default_cap_total = $5
     where organization_id = $1`,
    [id, name, defaultDay, defaultMonth, defaultTotal],
  );
}

export interface ListedOrganization extends OrganizationRecord {
  /** Of whoever asked; null for an administrator who is no member. */
  readonly role: OrganizationRole | null;
  readonly members: number;
  readonly available: MicroCredits;
  readonly held: MicroCredits;
  readonly owed: MicroCredits;
}

const LIST_LIMIT = 1000;

/** The organizations that a person belongs to, or with `isAll` every one; or only the one that is named. By id. */
export async function listOrganizations(
  pool: pg.Pool,
  request: { personId: string | null; isAll: boolean; id?: string },
): Promise<ListedOrganization[]> {
  const { rows } = await pool.query<ListedOrganization>(
    `select ${COLUMNS}, m.role, a.available, a.held, a.owed,
       (select count(*)::int4 from organization_members x where x.organization_id = o.organization_id) as members
     from organizations o join accounts a using (account_id)
     left join organization_members m on m.organization_id = o.organization_id and m.person_id = $1
     where (m.role is not null or $2) and ($3::text is null or o.organization_id = $3)
     order by o.organization_id limit $4`,
    [request.personId, request.isAll, request.id ?? null, LIST_LIMIT],
  );
  return rows;
}
