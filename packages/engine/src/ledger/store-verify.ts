import type pg from "pg";
import { ENTRY_COLUMNS } from "./entry.ts";

/** One moment for all that is read after it; writers go on. */
export const BEGIN_SNAPSHOT = "begin isolation level repeatable read read only";

/** One line a row, the account first. */
export const COPY_ACCOUNTS = `copy (
  select account_id, available, held, owed, issued, spent, expired, revoked, frozen, seq, encode(hash, 'hex'), grants
  from accounts
) to stdout`;

export const COPY_GRANTS = `copy (
  select account_id, grant_id, source, granted, priority, expires_at, scope from grants
) to stdout`;

export const COPY_HOLDS = "copy (select account_id, hold_id, amount, parent_id, draws from holds) to stdout";

/** Every entry as its canonical row and its hash, account by account in order. */
export const COPY_ENTRIES = `copy (select ${ENTRY_COLUMNS}, hash from entries order by account_id, seq) to stdout`;

export async function hasKeyIndex(client: pg.ClientBase): Promise<boolean> {
  const { rows } = await client.query(
    "select from pg_index where indexrelid = to_regclass('entries_key') and indisunique and indisvalid",
  );
  return rows.length === 1;
}
