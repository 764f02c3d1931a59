import type { AccountId } from "@bursar/contract/ids";
import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type pg from "pg";

export interface WrappedKey {
  readonly accountId: AccountId;
  readonly id: string;
  readonly masterKeyId: string;
  readonly wrapped: Buffer;
}

const KEY_COLUMNS = `account_id as "accountId", key_id as id, master_key_id as "masterKeyId", wrapped`;

export async function findDataKey(pool: pg.Pool, accountId: AccountId): Promise<WrappedKey | null> {
  const { rows } = await pool.query<WrappedKey>(
    `select ${KEY_COLUMNS} from data_keys where account_id = $1`,
    [accountId],
  );
  return rows[0] ?? null;
}

/** An account has one data key: of several that are made at once, the first stays. */
export async function insertDataKey(pool: pg.Pool, key: WrappedKey, now: Instant): Promise<void> {
  await pool.query(
    `insert into data_keys (account_id, key_id, master_key_id, wrapped, created_at)
     values ($1, $2, $3, $4, $5) on conflict (account_id) do nothing`,
    [key.accountId, key.id, key.masterKeyId, key.wrapped, formatPostgresTimestamp(now)],
  );
}

export async function findField(pool: pg.Pool, accountId: AccountId, field: string): Promise<string | null> {
  const { rows } = await pool.query<{ sealed: string }>(
    "select sealed from encrypted_fields where account_id = $1 and field = $2",
    [accountId, field],
  );
  return rows[0]?.sealed ?? null;
}

export async function upsertField(
  pool: pg.Pool,
  { accountId, field, sealed, now }: { accountId: AccountId; field: string; sealed: string; now: Instant },
): Promise<void> {
  await pool.query(
    `insert into encrypted_fields (account_id, field, sealed, written_at) values ($1, $2, $3, $4)
     on conflict (account_id, field) do update set sealed = excluded.sealed, written_at = excluded.written_at`,
    [accountId, field, sealed, formatPostgresTimestamp(now)],
  );
}

export async function deleteField(pool: pg.Pool, accountId: AccountId, field: string): Promise<void> {
  await pool.query("delete from encrypted_fields where account_id = $1 and field = $2", [accountId, field]);
}
