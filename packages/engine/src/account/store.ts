import type { AccountId } from "@bursar/contract/ids";
import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type pg from "pg";
import { GENESIS_HASH } from "../ledger/entry.ts";
import type { Queryable } from "../mail/store.ts";

export interface AccountRecord {
  readonly id: AccountId;
  readonly name: string;
  readonly available: MicroCredits;
  readonly held: MicroCredits;
  readonly owed: MicroCredits;
  readonly frozen: boolean;
  readonly alertBelow: MicroCredits | null;
  readonly createdAt: Instant;
}

const COLUMNS = `account_id as id, name, available, held, owed, frozen, alert_below as "alertBelow",
  created_at as "createdAt"`;

export interface NewAccount {
  readonly id: AccountId;
  readonly name: string;
  readonly alertBelow: MicroCredits | null;
  readonly createdAt: Instant;
}

/** True when it was created now; false when the id is taken already. */
export async function insertAccount(queryable: Queryable, account: NewAccount): Promise<boolean> {
  const { rowCount } = await queryable.query(
    `insert into accounts (account_id, name, alert_below, created_at, hash)
     values ($1, $2, $3, $4, decode($5, 'hex')) on conflict (account_id) do nothing`,
    [account.id, account.name, account.alertBelow, formatPostgresTimestamp(account.createdAt), GENESIS_HASH],
  );
  return rowCount === 1;
}

/** Names are for people to read: nothing goes by them. */
export async function renameAccount(queryable: Queryable, id: AccountId, name: string): Promise<void> {
  await queryable.query("update accounts set name = $2 where account_id = $1", [id, name]);
}

export async function findAccount(pool: pg.Pool, id: AccountId): Promise<AccountRecord | null> {
  const { rows } = await pool.query<AccountRecord>(`select ${COLUMNS} from accounts where account_id = $1`, [
    id,
  ]);
  return rows[0] ?? null;
}
