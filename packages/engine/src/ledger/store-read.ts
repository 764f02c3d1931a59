import type { AccountId } from "@bursar/contract/ids";
import type { MicroCredits } from "@bursar/contract/money";
import type pg from "pg";
import { type Entry, keyOf } from "./entry.ts";
import type { GrantSource } from "./kinds.ts";

const ENTRY_COLUMNS = `account_id as "accountId", seq, kind, amount, draws::text as draws, reference,
  parent_id as "parentId", hold_after as "holdAfter", key::text as key, fingerprint, group_size as "groupSize", feature,
  metadata::text as metadata, decision::text as decision, note, request_id as "requestId",
  available_after as "availableAfter", held_after as "heldAfter", owed_after as "owedAfter",
  expires_at as "expiresAt", at, by, encode(hash, 'hex') as hash`;

/** An account's entries below a number, newest first. */
export async function entriesBefore(
  pool: pg.Pool,
  accountId: AccountId,
  before: bigint | null,
  limit: number,
): Promise<Entry[]> {
  const { rows } = await pool.query<Entry>(
    `select ${ENTRY_COLUMNS} from entries
     where account_id = $1 and ($2::int8 is null or seq < $2::int8) order by seq desc limit $3`,
    [accountId, before, limit],
  );
  return rows;
}

/** The whole groups under these keys or this request, and the extensions of these holds, in order; `keys` as the key
 *  column has them. Where they are too many, the first of them, and rather all others than all extensions; `charged` is
 *  what all of them have charged. */
export async function entriesAbout(
  pool: pg.Pool,
  accountId: AccountId,
  keys: readonly string[],
  requestId: string,
  holdIds: readonly string[],
): Promise<{ readonly entries: Entry[]; readonly charged: MicroCredits }> {
  const { rows } = await pool.query<Entry & { chargedByAll: bigint | null }>(
    `with found as (
       select seq, group_size from entries where account_id = $1 and key = any($2::uuid[])
       union
       select seq, group_size from entries where account_id = $1 and request_id = $3 and key is not null
       union
       select seq, group_size from entries where account_id = $1 and reference = any($4::text[]) and kind = 'extend'
     ), shown as (
       select *, (sum(amount) filter (where kind in ('settle', 'spend', 'overrun')) over ())::int8 as charged_by_all
       from entries
       where account_id = $1
         and exists (select from found f where entries.seq >= f.seq and entries.seq < f.seq + f.group_size)
       order by kind = 'extend', seq limit 2000
     )
     select ${ENTRY_COLUMNS}, charged_by_all as "chargedByAll" from shown order by shown.seq`,
    [accountId, keys, requestId, holdIds],
  );
  const charged = rows[0]?.chargedByAll ?? 0n;
  return { entries: rows, charged };
}

export interface GrantRecord {
  readonly id: string;
  readonly source: string;
}

export async function grantSources(
  pool: pg.Pool,
  accountId: AccountId,
  grantIds: readonly string[],
): Promise<Map<string, string>> {
  if (grantIds.length === 0) return new Map();
  const { rows } = await pool.query<GrantRecord>(
    "select grant_id as id, source from grants where account_id = $1 and grant_id = any($2::text[])",
    [accountId, grantIds],
  );
  return new Map(rows.map((row) => [row.id, row.source]));
}

/** What was granted under this id; null: nothing was. */
export async function grantedUnder(
  pool: pg.Pool,
  accountId: AccountId,
  grantId: string,
): Promise<MicroCredits | null> {
  const { rows } = await pool.query<{ granted: MicroCredits }>(
    "select granted from grants where account_id = $1 and grant_id = $2",
    [accountId, grantId],
  );
  return rows[0]?.granted ?? null;
}

/** What has expired of a grant: at its end, and whatever came back to it after that. An entry of what expires is of one
 *  grant. Walks the account's entries since the grant, which is rarely asked for. */
export async function expiredOf(pool: pg.Pool, accountId: AccountId, grantId: string): Promise<MicroCredits> {
  const { rows } = await pool.query<{ expired: MicroCredits }>(
    `select coalesce(sum(amount), 0)::int8 as expired from entries
     where account_id = $1 and kind = 'expire' and draws #>> '{0,0}' = $2
       and seq > coalesce((select seq from entries where account_id = $1 and key = $3::uuid limit 1), 0)`,
    [accountId, grantId, keyOf(grantId)],
  );
  return rows[0]!.expired;
}

/** Whether anything was done under this idempotency key. */
export async function isDone(pool: pg.Pool, accountId: AccountId, key: string): Promise<boolean> {
  const { rowCount } = await pool.query(
    "select from entries where account_id = $1 and key = $2::uuid limit 1",
    [accountId, keyOf(key)],
  );
  return rowCount === 1;
}

/** What grants of this source have added to an account after its entry of this number. */
export async function grantedSince(
  pool: pg.Pool,
  accountId: AccountId,
  source: GrantSource,
  seq: bigint,
): Promise<MicroCredits> {
  const { rows } = await pool.query<{ added: bigint }>(
    `select coalesce(sum(e.amount), 0)::int8 as added
     from entries e join grants g on g.account_id = e.account_id and g.grant_id = e.reference
     where e.account_id = $1 and e.seq > $2 and e.kind = 'grant' and g.source = $3`,
    [accountId, seq, source],
  );
  return rows[0]!.added;
}

/** Invariant 1 over all account rows, for a gauge: anything but 0 is an alarm. */
export async function accountsOutOfBalance(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ count: bigint }>(
    `select count(*) as count from accounts
     where issued <> available + held + spent + expired + revoked - owed or available < 0 or held < 0 or owed < 0`,
  );
  return Number(rows[0]!.count);
}
