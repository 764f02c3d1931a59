import { formatNullableTimestamp, formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type pg from "pg";
import type { ProviderEvent } from "../payment/payments.ts";

export type EventState = "waiting" | "done" | "ignored" | "parked";

/** False when it has come before. */
export async function insertEvent(pool: pg.Pool, event: ProviderEvent, now: Instant): Promise<boolean> {
  return (await insertEvents(pool, [event], now)) === 1;
}

/** Returns how many had not come before. */
export async function insertEvents(
  pool: pg.Pool,
  events: readonly ProviderEvent[],
  now: Instant,
): Promise<number> {
  const { rowCount } = await pool.query(
    `insert into payment_events (event_id, type, body, state, created_at, received_at, due_at)
     select id, type, body::json, 'waiting', created_at, $5, $5
     from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) as come (id, type, body, created_at)
     on conflict (event_id) do nothing`,
    [
      events.map(({ id }) => id),
      events.map(({ type }) => type),
      events.map(({ body }) => JSON.stringify(body)),
      events.map(({ createdAt }) => formatPostgresTimestamp(createdAt)),
      formatPostgresTimestamp(now),
    ],
  );
  return rowCount ?? 0;
}

export interface TakenEvent {
  readonly id: string;
  readonly type: string;
  readonly body: unknown;
  /** With the one that begins now. */
  readonly attempts: number;
}

/** Takes the events that are longest due, each for one process alone until the lease ends. */
export async function takeDueEvents(
  pool: pg.Pool,
  { now, limit, leaseSeconds }: { now: Instant; limit: number; leaseSeconds: number },
): Promise<TakenEvent[]> {
  const { rows } = await pool.query<TakenEvent>(
    `update payment_events set attempts = attempts + 1,
       leased_until = clock_timestamp() + make_interval(secs => $3)
     where event_id in (
       select event_id from payment_events
       where due_at <= $1 and (leased_until is null or leased_until < clock_timestamp())
       order by due_at limit $2 for update skip locked
     )
     returning event_id as id, type, body, attempts`,
    [formatPostgresTimestamp(now), limit, leaseSeconds],
  );
  return rows;
}

export interface EventEnd {
  readonly state: EventState;
  /** An outage was nobody's fault: the attempt does not count. */
  readonly isOutage?: boolean;
  readonly error: string | null;
  /** null: never again by itself. */
  readonly dueAt: Instant | null;
  readonly now: Instant;
}

export async function endEvent(pool: pg.Pool, id: string, end: EventEnd): Promise<void> {
  const isOver = end.state !== "waiting";
  await pool.query(
    `update payment_events set state = $2, last_error = $3, due_at = $4, leased_until = null,
       processed_at = case when $5 then $6::timestamptz end, attempts = attempts - $7::int4
     where event_id = $1`,
    [
      id,
      end.state,
      end.error?.slice(0, 1000) ?? null,
      formatNullableTimestamp(end.dueAt),
      isOver,
      formatPostgresTimestamp(end.now),
      end.isOutage === true ? 1 : 0,
    ],
  );
}

export interface EventRow {
  readonly id: string;
  readonly type: string;
  readonly state: EventState;
  readonly attempts: number;
  readonly lastError: string | null;
  readonly createdAt: Instant;
  readonly receivedAt: Instant;
  readonly processedAt: Instant | null;
}

const COLUMNS = `event_id as id, type, state, attempts, last_error as "lastError", created_at as "createdAt",
  received_at as "receivedAt", processed_at as "processedAt"`;

export async function readEvent(pool: pg.Pool, id: string): Promise<EventRow | null> {
  const { rows } = await pool.query<EventRow>(`select ${COLUMNS} from payment_events where event_id = $1`, [
    id,
  ]);
  return rows[0] ?? null;
}

/** Due again at once, however it ended. */
export async function requeueEvent(pool: pg.Pool, id: string, now: Instant): Promise<void> {
  await pool.query(
    `update payment_events set state = 'waiting', attempts = 0, due_at = $2, leased_until = null, processed_at = null
     where event_id = $1`,
    [id, formatPostgresTimestamp(now)],
  );
}

export interface EventCursor {
  readonly receivedAt: Instant;
  readonly id: string;
}

export async function listEvents(
  pool: pg.Pool,
  request: { state: EventState | null; limit: number; after: EventCursor | null },
): Promise<EventRow[]> {
  const { state, limit, after } = request;
  const { rows } = await pool.query<EventRow>(
    `select ${COLUMNS} from payment_events
     where ($1::text is null or state = $1)
       and ($2::timestamptz is null or (received_at, event_id) < ($2, $3))
     order by received_at desc, event_id desc limit $4`,
    [state, after === null ? null : formatPostgresTimestamp(after.receivedAt), after?.id ?? null, limit],
  );
  return rows;
}

export interface EventCounts {
  /** Not processed yet, however often it was tried. */
  readonly waiting: number;
  readonly parked: number;
}

/** Of all that has come and is not over. */
export async function countEvents(pool: pg.Pool): Promise<EventCounts> {
  const { rows } = await pool.query<EventCounts>(
    `select (select count(*)::int4 from payment_events where due_at is not null) as waiting,
       (select count(*)::int4 from payment_events where state = 'parked') as parked`,
  );
  return rows[0]!;
}

/** Whether one that came by then is still to be processed, or is being processed at this moment. */
export async function isAnyWaiting(pool: pg.Pool, receivedBy: Instant): Promise<boolean> {
  const { rowCount } = await pool.query(
    "select from payment_events where due_at is not null and received_at <= $1 limit 1",
    [formatPostgresTimestamp(receivedBy)],
  );
  return rowCount === 1;
}

/** How far the provider's list has been read; null: never. */
export async function readMark(pool: pg.Pool): Promise<Instant | null> {
  const { rows } = await pool.query<{ at: Instant }>(
    "select read_at as at from payment_event_marks where mark = 'events'",
  );
  return rows[0]?.at ?? null;
}

export async function setMark(pool: pg.Pool, at: Instant): Promise<void> {
  await pool.query(
    `insert into payment_event_marks (mark, read_at) values ('events', $1)
     on conflict (mark) do update set read_at = excluded.read_at`,
    [formatPostgresTimestamp(at)],
  );
}

/** Those that are done and old; what is parked stays until somebody has looked at it. */
export async function forgetEvents(pool: pg.Pool, before: Instant): Promise<void> {
  await pool.query("delete from payment_events where state in ('done', 'ignored') and received_at < $1", [
    formatPostgresTimestamp(before),
  ]);
}
