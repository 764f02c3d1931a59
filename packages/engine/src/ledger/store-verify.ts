import type pg from "pg";
import { ENTRY_COLUMNS } from "./entry.ts";

/** One moment for all that is read after it; writers go on. */
export const BEGIN_SNAPSHOT = "begin isolation level repeatable read read only";

/** One line an account: what its row says, with the sums of its open grants and holds. */
export const COPY_ACCOUNTS = `copy (
  select account_id, available, held, owed, issued, spent, expired, revoked, frozen, seq, encode(hash, 'hex'),
    grants, coalesce(h.amount, 0)
  from accounts left join (select account_id, sum(amount) as amount from holds group by 1) h using (account_id)
) to stdout`;

/** Every entry as its canonical row and its hash, account by account in order. */
export const COPY_ENTRIES = `copy (select ${ENTRY_COLUMNS}, hash from entries order by account_id, seq) to stdout`;

export async function hasKeyIndex(client: pg.ClientBase): Promise<boolean> {
  const { rows } = await client.query(
    "select from pg_index where indexrelid = to_regclass('entries_key') and indisunique and indisvalid",
  );
  return rows.length === 1;
}
