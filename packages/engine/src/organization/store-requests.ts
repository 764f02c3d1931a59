import { formatNullableTimestamp, formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type { Queryable } from "../mail/store.ts";
import type { CapWindow } from "./decide.ts";

export interface RequestRecord {
  readonly id: string;
  readonly organizationId: string;
  readonly personId: string;
  readonly window: CapWindow;
  readonly amount: MicroCredits;
  readonly reason: string;
  readonly state: "open" | "approved" | "denied";
  readonly approvedAmount: MicroCredits | null;
  readonly createdAt: Instant;
  readonly decidedAt: Instant | null;
  readonly decidedBy: string | null;
}

export const UNDECIDED = { state: "open", approvedAmount: null, decidedAt: null, decidedBy: null } as const;

const COLUMNS = `request_id as id, organization_id as "organizationId", person_id as "personId",
  cap_window as window, amount, reason, state, approved_amount as "approvedAmount", created_at as "createdAt",
  decided_at as "decidedAt", decided_by as "decidedBy"`;

export async function insertRequest(client: Queryable, asked: RequestRecord): Promise<void> {
  const { id, organizationId, personId, window, amount, reason, createdAt } = asked;
  await client.query(
    `insert into organization_requests
       (request_id, organization_id, person_id, cap_window, amount, reason, created_at)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [id, organizationId, personId, window, amount, reason, formatPostgresTimestamp(createdAt)],
  );
}

export async function findOpenRequest(
  client: Queryable,
  organizationId: string,
  personId: string,
): Promise<string | null> {
  const { rows } = await client.query<{ id: string }>(
    `select request_id as id from organization_requests
     where organization_id = $1 and person_id = $2 and state = 'open'`,
    [organizationId, personId],
  );
  return rows[0]?.id ?? null;
}

export async function findRequest(
  client: Queryable,
  organizationId: string,
  id: string,
): Promise<RequestRecord | null> {
  const { rows } = await client.query<RequestRecord>(
    `select ${COLUMNS} from organization_requests where organization_id = $1 and request_id = $2`,
    [organizationId, id],
  );
  return rows[0] ?? null;
}

/** The open ones first, then the latest; two hundred at most. */
export async function listRequests(client: Queryable, organizationId: string): Promise<RequestRecord[]> {
  const { rows } = await client.query<RequestRecord>(
    `select ${COLUMNS} from organization_requests where organization_id = $1
     order by state = 'open' desc, created_at desc, request_id limit 200`,
    [organizationId],
  );
  return rows;
}

/** What a person has asked for, in any organization, the oldest first. */
export async function requestsOf(queryable: Queryable, personId: string): Promise<RequestRecord[]> {
  const { rows } = await queryable.query<RequestRecord>(
    `select ${COLUMNS} from organization_requests where person_id = $1 order by created_at, request_id`,
    [personId],
  );
  return rows;
}

export async function closeRequest(client: Queryable, decided: RequestRecord): Promise<void> {
  const { id, state, approvedAmount, decidedAt, decidedBy } = decided;
  await client.query(
    `update organization_requests set state = $2, approved_amount = $3, decided_at = $4, decided_by = $5
     where request_id = $1`,
    [id, state, approvedAmount, formatNullableTimestamp(decidedAt), decidedBy],
  );
}
