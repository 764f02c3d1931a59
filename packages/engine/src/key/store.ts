import type { AccountId, KeyId } from "@bursar/contract/ids";
import { formatNullableTimestamp, formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type pg from "pg";
import type { Cap } from "../ledger/command.ts";
import type { Queryable } from "../mail/store.ts";

export interface KeyRecord {
  readonly id: KeyId;
  /** null for an admin key. */
  readonly accountId: AccountId | null;
  readonly name: string;
  readonly prefix: string;
  readonly capAmount: MicroCredits | null;
  readonly capWindow: Cap["window"];
  readonly expiresAt: Instant | null;
  readonly revokedAt: Instant | null;
  readonly lastUsedAt: Instant | null;
  readonly createdAt: Instant;
}

const COLUMNS = `key_id as id, account_id as "accountId", name, prefix, cap_amount as "capAmount",
  cap_window as "capWindow", expires_at as "expiresAt", revoked_at as "revokedAt",
  last_used_at as "lastUsedAt", created_at as "createdAt"`;

export interface NewKey {
  readonly id: KeyId;
  readonly accountId: AccountId | null;
  readonly name: string;
  readonly prefix: string;
  readonly secretHash: string;
  readonly capAmount: MicroCredits | null;
  readonly capWindow: Cap["window"];
  readonly expiresAt: Instant | null;
  readonly createdAt: Instant;
  readonly by: string;
}

/** False when the account does not exist: the foreign key decides, so none can vanish in between. Or when the secret is
 *  there already, as when two processes start on one database with one admin key; or the id, as in a repetition. */
export async function insertKey(pool: pg.Pool, key: NewKey): Promise<boolean> {
  const { rowCount } = await pool.query(
    `insert into api_keys (key_id, account_id, name, prefix, secret_hash, cap_amount, cap_window, expires_at,
       created_at, created_by)
     select $1, $2::text, $3, $4, decode($5, 'hex'), $6::int8, $7, $8::timestamptz, $9::timestamptz, $10
     where $2::text is null or exists (select from accounts where account_id = $2::text)
     on conflict do nothing`,
    [
      key.id,
      key.accountId,
      key.name,
      key.prefix,
      key.secretHash,
      key.capAmount,
      key.capWindow,
      formatNullableTimestamp(key.expiresAt),
      formatPostgresTimestamp(key.createdAt),
      key.by,
    ],
  );
  return rowCount === 1;
}

export async function findKeyByHash(pool: pg.Pool, secretHash: string): Promise<KeyRecord | null> {
  const { rows } = await pool.query<KeyRecord>({
    name: "key_by_hash",
    text: `select ${COLUMNS} from api_keys where secret_hash = decode($1, 'hex')`,
    values: [secretHash],
  });
  return rows[0] ?? null;
}

/** Ends every key of this maker; those that are ended already stay as they are. */
export async function revokeKeysMadeBy(pool: pg.Pool, maker: string, at: Instant): Promise<void> {
  await pool.query(
    "update api_keys set revoked_at = $2::timestamptz where created_by = $1 and revoked_at is null",
    [maker, formatPostgresTimestamp(at)],
  );
}

/** Also where all of them have been revoked. */
export async function hasKeyMadeBy(pool: pg.Pool, maker: string): Promise<boolean> {
  const { rowCount } = await pool.query("select from api_keys where created_by = $1 limit 1", [maker]);
  return rowCount === 1;
}

/** null: there is no key of this id. */
export async function findPrefix(pool: pg.Pool, id: KeyId): Promise<string | null> {
  const { rows } = await pool.query<{ prefix: string }>("select prefix from api_keys where key_id = $1", [
    id,
  ]);
  return rows[0]?.prefix ?? null;
}

/** When and whose it was; null: there is no such key. The first revocation stands. */
export async function markRevoked(pool: pg.Pool, id: KeyId, at: Instant): Promise<RevokedKey | null> {
  const { rows } = await pool.query<RevokedKey>(
    `update api_keys set revoked_at = coalesce(revoked_at, $2) where key_id = $1
     returning revoked_at as at, account_id as "accountId"`,
    [id, formatPostgresTimestamp(at)],
  );
  return rows[0] ?? null;
}

/** The first revocation of each stands. */
export async function markAllRevoked(queryable: Queryable, accountId: AccountId, at: Instant): Promise<void> {
  await queryable.query("update api_keys set revoked_at = $2 where account_id = $1 and revoked_at is null", [
    accountId,
    formatPostgresTimestamp(at),
  ]);
}

interface RevokedKey {
  readonly at: Instant;
  /** null for an admin key. */
  readonly accountId: AccountId | null;
}

export interface ListedKey extends KeyRecord {
  readonly capUsed: MicroCredits;
}

/** Keys, oldest first, with what their cap has counted in its present window. */
export async function listKeys(
  pool: pg.Pool,
  accountId: AccountId | null,
  windows: Record<Cap["window"], string>,
): Promise<ListedKey[]> {
  const { rows } = await pool.query<ListedKey>(
    `select ${COLUMNS.replace(/(^|, |\n {2})(?=[a-z_]+)/g, "$1k.")}, coalesce(c.used, 0)::int8 as "capUsed"
     from api_keys k
     left join cap_counters c on c.account_id = k.account_id and c.cap_id = k.key_id
       and c.window_start = ($2::json ->> k.cap_window)
     where $1::text is null or k.account_id = $1::text
     order by k.created_at, k.key_id`,
    [accountId, JSON.stringify(windows)],
  );
  return rows;
}

/** Notes when keys were last used; best effort, many at once. */
export async function touchKeys(pool: pg.Pool, used: ReadonlyMap<KeyId, Instant>): Promise<void> {
  await pool.query(
    `update api_keys k set last_used_at = v.at from unnest($1::text[], $2::timestamptz[]) as v (key_id, at)
     where k.key_id = v.key_id`,
    [[...used.keys()], [...used.values()].map(formatPostgresTimestamp)],
  );
}

/** The names that somebody has given their keys may name them. */
export async function forgetNames(client: Pick<pg.PoolClient, "query">, accountId: AccountId): Promise<void> {
  await client.query("update api_keys set name = '' where account_id = $1", [accountId]);
}
