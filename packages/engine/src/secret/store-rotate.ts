import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type pg from "pg";
import type { WrappedKey } from "./store.ts";

export interface KeysToRewrap {
  readonly newestId: string;
  readonly knownIds: readonly string[];
  readonly after: string;
  readonly limit: number;
}

/** Data keys that an older, known master key wraps, locked for this transaction; those that another process is
 *  rewrapping are passed over. */
export async function lockKeysToRewrap(
  client: pg.PoolClient,
  { newestId, knownIds, after, limit }: KeysToRewrap,
): Promise<WrappedKey[]> {
  const { rows } = await client.query<WrappedKey>(
    `select account_id as "accountId", key_id as id, master_key_id as "masterKeyId", wrapped from data_keys
     where master_key_id = any($1) and master_key_id <> $2 and account_id > $3
     order by account_id limit $4 for update skip locked`,
    [knownIds, newestId, after, limit],
  );
  return rows;
}

/** Of keys that this transaction has locked. */
export async function updateWrapped(
  client: pg.PoolClient,
  keys: readonly WrappedKey[],
  now: Instant,
): Promise<void> {
  await client.query(
    `update data_keys k set master_key_id = v.master_key_id, wrapped = v.wrapped, rewrapped_at = $4
     from unnest($1::text[], $2::text[], $3::bytea[]) as v (account_id, master_key_id, wrapped)
     where k.account_id = v.account_id`,
    [
      keys.map(({ accountId }) => accountId),
      keys.map(({ masterKeyId }) => masterKeyId),
      keys.map(({ wrapped }) => wrapped),
      formatPostgresTimestamp(now),
    ],
  );
}

export interface MasterKeyUse {
  readonly masterKeyId: string;
  readonly dataKeys: number;
}

/** How many data keys each master key wraps. */
export async function countByMasterKey(pool: pg.Pool): Promise<MasterKeyUse[]> {
  const { rows } = await pool.query<MasterKeyUse>(
    `select master_key_id as "masterKeyId", count(*)::int4 as "dataKeys" from data_keys group by 1 order by 1`,
  );
  return rows;
}
