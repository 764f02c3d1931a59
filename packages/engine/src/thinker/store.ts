import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type pg from "pg";

export interface Sighting {
  readonly model: string;
  readonly seenAt: Instant;
}

/** Those seen since then, the latest first. */
export async function readSightings(pool: pg.Pool, since: Instant, limit: number): Promise<Sighting[]> {
  const { rows } = await pool.query<{ model: string; seen_at: Instant }>(
    "select model, seen_at from thinkers where seen_at > $1 order by seen_at desc limit $2",
    [formatPostgresTimestamp(since), limit],
  );
  return rows.map(({ model, seen_at: seenAt }) => ({ model, seenAt }));
}

/** The latest sighting stays, in whatever order processes write theirs. */
export async function writeSighting(pool: pg.Pool, { model, seenAt }: Sighting): Promise<void> {
  await pool.query(
    `insert into thinkers (model, seen_at) values ($1, $2)
     on conflict (model) do update set seen_at = greatest(thinkers.seen_at, excluded.seen_at)`,
    [model, formatPostgresTimestamp(seenAt)],
  );
}
