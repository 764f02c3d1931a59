import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type { Queryable } from "../mail/store.ts";
import type { Invite } from "./decide.ts";

/** An invite that nothing has ended. */
export const OPEN = { acceptedAt: null, acceptedBy: null, revokedAt: null } as const;

const COLUMNS = `invite_id as id, organization_id as "organizationId", email, role, created_at as "createdAt",
  expires_at as "expiresAt", accepted_at as "acceptedAt", accepted_by as "acceptedBy", revoked_at as "revokedAt"`;

export async function insertInvite(
  client: Queryable,
  { invite, tokenHash, by }: { invite: Invite; tokenHash: Buffer; by: string },
): Promise<void> {
  const { id, organizationId, email, role, createdAt, expiresAt } = invite;
  await client.query(
    `insert into organization_invites
       (invite_id, organization_id, email, role, token_hash, created_at, created_by, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      ...[id, organizationId, email, role, tokenHash],
      ...[formatPostgresTimestamp(createdAt), by, formatPostgresTimestamp(expiresAt)],
    ],
  );
}

/** Which organization to lock, before the invite itself is read. */
export async function organizationOfInvite(client: Queryable, tokenHash: Buffer): Promise<string | null> {
  const { rows } = await client.query<{ id: string }>(
    "select organization_id as id from organization_invites where token_hash = $1",
    [tokenHash],
  );
  return rows[0]?.id ?? null;
}

export async function findInvite(client: Queryable, tokenHash: Buffer): Promise<Invite | null> {
  const { rows } = await client.query<Invite>(
    `select ${COLUMNS} from organization_invites where token_hash = $1`,
    [tokenHash],
  );
  return rows[0] ?? null;
}

export async function listInvites(
  client: Queryable,
  organizationId: string,
  now: Instant,
): Promise<Invite[]> {
  const { rows } = await client.query<Invite>(
    `select ${COLUMNS} from organization_invites
     where organization_id = $1 and accepted_at is null and revoked_at is null and expires_at > $2
     order by created_at desc, invite_id limit 1000`,
    [organizationId, formatPostgresTimestamp(now)],
  );
  return rows;
}

/** False when there is no such invite, or it is over. */
export async function revokeInvite(
  client: Queryable,
  { id, organizationId, at }: { id: string; organizationId: string; at: Instant },
): Promise<boolean> {
  const { rowCount } = await client.query(
    `update organization_invites set revoked_at = $3
     where invite_id = $1 and organization_id = $2 and accepted_at is null and revoked_at is null`,
    [id, organizationId, formatPostgresTimestamp(at)],
  );
  return rowCount === 1;
}

export async function revokeInvitesOf(
  client: Queryable,
  { organizationId, email, at }: { organizationId: string; email: string; at: Instant },
): Promise<void> {
  await client.query(
    `update organization_invites set revoked_at = $3
     where organization_id = $1 and email = $2 and accepted_at is null and revoked_at is null`,
    [organizationId, email, formatPostgresTimestamp(at)],
  );
}

/** The open invites that somebody has sent: who may invite no more lets nobody in by an earlier one. */
export async function revokeInvitesBy(
  client: Queryable,
  { organizationId, personId, at }: { organizationId: string; personId: string; at: Instant },
): Promise<void> {
  await client.query(
    `update organization_invites set revoked_at = $3
     where organization_id = $1 and created_by = 'user:' || $2 and accepted_at is null and revoked_at is null`,
    [organizationId, personId, formatPostgresTimestamp(at)],
  );
}

export async function markAccepted(
  client: Queryable,
  { id, by, at }: { id: string; by: string; at: Instant },
): Promise<void> {
  await client.query(
    "update organization_invites set accepted_at = $2, accepted_by = $3 where invite_id = $1",
    [id, formatPostgresTimestamp(at), by],
  );
}

/** Of the invites that somebody has used, the address goes; of those to an address that is theirs, too, used or not, and
 *  nobody comes in by them any more. null: no address is known to be theirs, and anybody may have said that it is. */
export async function forgetAddressOf(
  client: Queryable,
  { personId, address, at }: { personId: string; address: string | null; at: Instant },
): Promise<void> {
  await client.query(
    `update organization_invites set email = $1,
       revoked_at = case when accepted_at is null then coalesce(revoked_at, $3) else revoked_at end
     where accepted_by = $1 or email = $2`,
    [personId, address, formatPostgresTimestamp(at)],
  );
}
