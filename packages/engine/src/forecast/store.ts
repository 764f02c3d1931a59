import type { AccountId } from "@bursar/contract/ids";
import { addSeconds, formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type pg from "pg";
import { type RecentUse, WINDOW_DAYS } from "./decide.ts";

const SECONDS_PER_DAY = 86_400;
/** Entries are found by number, not by time; a very busy account is judged by its newest. */
const ENTRY_LIMIT = 50_000;

interface Row {
  readonly day: number;
  readonly used: MicroCredits;
  readonly count: bigint;
  readonly oldest: Instant;
}

/** What the account has used in each of the last 28 spans of 24 hours, by its entries. Bounded, however many there are. */
export async function recentUse(pool: pg.Pool, accountId: AccountId, now: Instant): Promise<RecentUse> {
  const { rows } = await pool.query<Row>(
    `with newest as (
       select kind, amount, at from entries where account_id = $1 order by seq desc limit $4
     )
     select least($3, floor(extract(epoch from $2::timestamptz - at) / 86400))::int4 as day,
       coalesce(sum(amount) filter (where kind in ('settle', 'spend', 'overrun')), 0)::int8 as used,
       count(*) as count, min(at) as oldest
     from newest where at <= $2 group by 1`,
    [accountId, formatPostgresTimestamp(now), WINDOW_DAYS, ENTRY_LIMIT],
  );
  const days = Array.from({ length: WINDOW_DAYS }, () => 0n);
  for (const { day, used } of rows) if (day < WINDOW_DAYS) days[day] = used;
  const read = rows.reduce((sum, { count }) => sum + count, 0n);
  return { days, since: since(rows, now), isCut: read >= BigInt(ENTRY_LIMIT) };
}

function since(rows: readonly Row[], now: Instant): Instant | null {
  if (rows.length === 0) return null;
  const oldest = rows.reduce<number>((first, row) => Math.min(first, row.oldest), now) as Instant;
  return Math.max(oldest, addSeconds(now, -WINDOW_DAYS * SECONDS_PER_DAY)) as Instant;
}
