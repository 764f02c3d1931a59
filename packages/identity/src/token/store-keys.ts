import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type { JWK } from "jose";
import type pg from "pg";

export interface StoredKey {
  readonly kid: string;
  readonly publicKey: JWK;
  /** Encrypted. */
  readonly privateKey: Buffer;
  readonly createdAt: Instant;
}

/** The newest first. */
export async function listSigningKeys(pool: pg.Pool): Promise<StoredKey[]> {
  const { rows } = await pool.query<StoredKey>(
    `select kid, public_key as "publicKey", private_key as "privateKey", created_at as "createdAt"
     from identity.signing_keys order by created_at desc, kid`,
  );
  return rows;
}

/** Answers when it was made: always later than every other key, also while the clock stands still. */
export async function insertSigningKey(pool: pg.Pool, key: StoredKey): Promise<Instant> {
  const { rows } = await pool.query<{ createdAt: Instant }>(
    `insert into identity.signing_keys (kid, public_key, private_key, created_at)
     select $1, $2, $3, greatest($4::timestamptz, max(created_at) + interval '1 microsecond')
     from identity.signing_keys
     returning created_at as "createdAt"`,
    [key.kid, JSON.stringify(key.publicKey), key.privateKey, formatPostgresTimestamp(key.createdAt)],
  );
  return rows[0]!.createdAt;
}

export async function deleteSigningKeys(pool: pg.Pool, kids: readonly string[]): Promise<void> {
  await pool.query("delete from identity.signing_keys where kid = any ($1)", [kids]);
}
