import type { AccountId } from "@bursar/contract/ids";
import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type pg from "pg";

/** The balance less debt at an instant, and the entry it was after. */
export async function netAt(
  pool: pg.Pool,
  accountId: AccountId,
  at: Instant,
): Promise<{ seq: bigint; net: MicroCredits }> {
  const { rows } = await pool.query<{ seq: bigint; net: MicroCredits }>(
    `select seq, available_after - owed_after as net from entries
     where account_id = $1 and at < $2 order by seq desc limit 1`,
    [accountId, formatPostgresTimestamp(at)],
  );
  return rows[0] ?? { seq: 0n, net: 0n };
}

export interface NetAfter {
  readonly seq: bigint;
  readonly at: Instant;
  readonly net: MicroCredits;
  /** Part of a top-up that really happened, or of taking one back. */
  readonly isTopUp: boolean;
  readonly isRequest: boolean;
}

/** The next entries in order: what the balance was after each. */
export async function changesAfter(
  pool: pg.Pool,
  accountId: AccountId,
  seq: bigint,
  limit: number,
): Promise<NetAfter[]> {
  const { rows } = await pool.query<NetAfter>(
    `select e.seq, e.at, e.available_after - e.owed_after as net,
       exists (select from payments p
         where p.account_id = $1 and p.kind = 'topup' and p.grant_id = e.reference) as "isTopUp",
       e.kind in ('spend', 'hold', 'extend') as "isRequest"
     from entries e where e.account_id = $1 and e.seq > $2 order by e.seq limit $3`,
    [accountId, seq, limit],
  );
  return rows;
}
