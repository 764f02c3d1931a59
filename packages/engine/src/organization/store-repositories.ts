import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type { Queryable } from "../mail/store.ts";

export interface RepositoryRecord {
  readonly repository: string;
  readonly addedAt: Instant;
  readonly addedBy: string;
}

/** Changes nothing where it is mapped already. */
export async function insertRepository(
  client: Queryable,
  {
    organizationId,
    repository,
    by,
    at,
  }: { organizationId: string; repository: string; by: string; at: Instant },
): Promise<void> {
  await client.query(
    `insert into organization_repositories (repository, organization_id, added_at, added_by)
     values ($1, $2, $3, $4) on conflict (repository, organization_id) do nothing`,
    [repository, organizationId, formatPostgresTimestamp(at), by],
  );
}

export async function deleteRepository(
  client: Queryable,
  organizationId: string,
  repository: string,
): Promise<boolean> {
  const { rowCount } = await client.query(
    "delete from organization_repositories where repository = $1 and organization_id = $2",
    [repository, organizationId],
  );
  return rowCount === 1;
}

export async function listRepositories(
  client: Queryable,
  organizationId: string,
): Promise<RepositoryRecord[]> {
  const { rows } = await client.query<RepositoryRecord>(
    `select repository, added_at as "addedAt", added_by as "addedBy" from organization_repositories
     where organization_id = $1 order by repository limit 1000`,
    [organizationId],
  );
  return rows;
}
