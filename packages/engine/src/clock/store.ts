import { formatNullableTimestamp, type Instant } from "@bursar/contract/instant";
import { withTransaction } from "@bursar/database/transaction";
import type pg from "pg";

/** Where the sandbox's time is, relative to the machine's. */
export interface ClockPosition {
  readonly offsetMicroseconds: number;
  /** The instant at which time stands still; the offset then means nothing. */
  readonly frozenAt: Instant | null;
}

interface Row {
  readonly offset: bigint;
  readonly frozenAt: Instant | null;
}

/** null as long as nobody has moved the clock. */
export async function readPosition(queryable: Pick<pg.Pool, "query">): Promise<ClockPosition | null> {
  const { rows } = await queryable.query<Row>(
    `select offset_microseconds as "offset", frozen_at as "frozenAt" from sandbox_clock`,
  );
  return rows[0] === undefined ? null : positionOf(rows[0]);
}

/** What time the database's machine has. */
export async function readDatabaseTime(queryable: Pick<pg.Pool, "query">): Promise<Instant> {
  const { rows } = await queryable.query<{ at: Instant }>("select clock_timestamp() as at");
  return rows[0]!.at;
}

/** Changes the position, one process after the other: nobody's move is lost. null from `change` leaves it alone. */
export async function changePosition<Changed extends ClockPosition | null>(
  pool: pg.Pool,
  change: (before: ClockPosition | null) => Changed,
): Promise<Changed> {
  return withTransaction(pool, async (client) => {
    await client.query("select pg_advisory_xact_lock(hashtext('bursar sandbox clock'))");
    const changed = change(await readPosition(client));
    if (changed !== null) await write(client, changed);
    return changed;
  });
}

async function write(client: pg.PoolClient, position: ClockPosition): Promise<void> {
  const frozenAt = formatNullableTimestamp(position.frozenAt);
  await client.query(
    `insert into sandbox_clock (offset_microseconds, frozen_at) values ($1, $2)
     on conflict (single) do update
       set offset_microseconds = excluded.offset_microseconds, frozen_at = excluded.frozen_at`,
    [String(position.offsetMicroseconds), frozenAt],
  );
}

function positionOf({ offset, frozenAt }: Row): ClockPosition {
  return { offsetMicroseconds: Number(offset), frozenAt };
}
