import type { AccountId } from "@bursar/contract/ids";
import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type pg from "pg";

/** A prompt, named. */
export interface PromptName {
  readonly accountId: AccountId;
  readonly requestId: string;
}

export interface ClaimRequest extends PromptName {
  readonly askedBy: string;
  /** JSON. */
  readonly asked: string;
  readonly owner: string;
  readonly leaseSeconds: number;
  readonly dueAt: Instant;
}

export interface ClaimedRow {
  readonly life: number;
  readonly asked: string;
  readonly opening: string | null;
}

/** Writes the prompt down, or takes over one that nobody runs. Of any number of processes that try, one gets the row:
 *  the others wait for it, and find its lease. null: it runs, has ended, or is another's. */
export async function claimRow(pool: pg.Pool, request: ClaimRequest): Promise<ClaimedRow | null> {
  const { accountId, requestId, askedBy, asked, owner, leaseSeconds, dueAt } = request;
  const { rows } = await pool.query<ClaimedRow>(
    `insert into prompts (account_id, request_id, asked_by, asked, owner, leased_until, due_at)
     values ($1, $2, $3, $4, $5, clock_timestamp() + make_interval(secs => $6), $7)
     on conflict (account_id, request_id) do update
       set owner = excluded.owner, leased_until = excluded.leased_until, due_at = excluded.due_at,
         life = prompts.life + 1, wanted_at = null
       where prompts.asked_by = excluded.asked_by and prompts.ending is null and prompts.is_whole
         and (prompts.leased_until is null or prompts.leased_until < clock_timestamp())
     returning life, asked, opening`,
    [accountId, requestId, askedBy, asked, owner, leaseSeconds, formatPostgresTimestamp(dueAt)],
  );
  return rows[0] ?? null;
}

interface WantedRow {
  readonly isOurs: boolean;
  readonly ending: string | null;
  readonly isWhole: boolean;
  readonly isLeased: boolean;
}

/** Asks whoever runs it to let it go. Returns how it stands; null: it is not there any more. */
export async function wantRow(
  pool: pg.Pool,
  { accountId, requestId, askedBy }: PromptName & { askedBy: string },
): Promise<WantedRow | null> {
  const { rows } = await pool.query<WantedRow>(
    `update prompts set wanted_at = case when asked_by = $3 and ending is null then clock_timestamp() else wanted_at end
     where account_id = $1 and request_id = $2
     returning asked_by = $3 as "isOurs", ending, is_whole as "isWhole",
       leased_until is not null and leased_until >= clock_timestamp() as "isLeased"`,
    [accountId, requestId, askedBy],
  );
  return rows[0] ?? null;
}

export async function readSteps(
  pool: pg.Pool,
  { accountId, requestId }: PromptName,
): Promise<{ name: string; body: string }[]> {
  const { rows } = await pool.query<{ name: string; body: string }>(
    "select name, body from prompt_steps where account_id = $1 and request_id = $2",
    [accountId, requestId],
  );
  return rows;
}

/** Who has a prompt: this life of it in this process, and no later one. */
export interface Hand extends PromptName {
  readonly owner: string;
  readonly life: number;
}

const IS_MINE = "account_id = $1 and request_id = $2 and owner = $3 and life = $4 and ending is null";

const mine = ({ accountId, requestId, owner, life }: Hand) => [accountId, requestId, owner, life];

/** Keeps a step. The row lock makes it wait for a process that is just taking over, and then find that it has lost.
 *  False: the prompt is not ours any more, and nothing was kept. */
export async function insertStep(pool: pg.Pool, hand: Hand, name: string, body: string): Promise<boolean> {
  const { rowCount } = await pool.query(
    `with ours as (select account_id, request_id from prompts where ${IS_MINE} for update)
     insert into prompt_steps (account_id, request_id, name, body)
     select account_id, request_id, $5, $6 from ours
     on conflict (account_id, request_id, name) do update set body = excluded.body`,
    [...mine(hand), name, body],
  );
  return rowCount === 1;
}

/** It did too much to be kept: from now on it ends with this process. False: not ours any more. */
export async function letGoOfSteps(pool: pg.Pool, hand: Hand): Promise<boolean> {
  const { rowCount } = await pool.query(
    `with ours as (
       update prompts set is_whole = false where ${IS_MINE} returning account_id, request_id
     ), gone as (
       delete from prompt_steps s using ours o
       where s.account_id = o.account_id and s.request_id = o.request_id
     )
     select 1 from ours`,
    mine(hand),
  );
  return rowCount === 1;
}

/** False: not ours any more. */
export async function writeOpening(pool: pg.Pool, hand: Hand, opening: string): Promise<boolean> {
  const { rowCount } = await pool.query(`update prompts set opening = $5 where ${IS_MINE}`, [
    ...mine(hand),
    opening,
  ]);
  return rowCount === 1;
}

/** Ends it: what was asked and done is forgotten, and only how it ended is kept. False: not ours any more. */
export async function endRow(
  pool: pg.Pool,
  hand: Hand,
  { ending, dueAt }: { ending: string; dueAt: Instant },
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `with ended as (
       update prompts set ending = $5, asked = '', owner = null, leased_until = null, due_at = $6
       where account_id = $1 and request_id = $2 and life = $4
         and (owner = $3 and ending is null or ending = $5)
       returning account_id, request_id
     ), gone as (
       delete from prompt_steps s using ended e
       where s.account_id = e.account_id and s.request_id = e.request_id
     )
     select 1 from ended`,
    [...mine(hand), ending, formatPostgresTimestamp(dueAt)],
  );
  return rowCount === 1;
}

/** Lets it go, for whoever goes on with it by then. */
export async function freeRow(pool: pg.Pool, hand: Hand, dueAt: Instant): Promise<void> {
  await pool.query(`update prompts set owner = null, leased_until = null, due_at = $5 where ${IS_MINE}`, [
    ...mine(hand),
    formatPostgresTimestamp(dueAt),
  ]);
}

/** As if it had never been asked. */
export async function deleteRow(pool: pg.Pool, hand: Hand): Promise<void> {
  await pool.query(`delete from prompts where ${IS_MINE}`, mine(hand));
}

/** Renews the leases of one process. Returns those that are still its own; the others are lost. The time of forgetting
 *  moves rarely, because it is indexed. */
export async function renewRows(
  pool: pg.Pool,
  hands: readonly Hand[],
  lease: {
    readonly seconds: number;
    readonly dueAt: Instant;
    readonly dueBefore: Instant;
    readonly wantedSeconds: number;
  },
): Promise<{ requestId: string; isWanted: boolean }[]> {
  const { rows } = await pool.query<{ requestId: string; isWanted: boolean }>(
    `update prompts p set leased_until = clock_timestamp() + make_interval(secs => $5),
       due_at = case when p.due_at < $7 then $6 else p.due_at end
     from unnest($1::text[], $2::text[], $3::text[], $4::int4[]) as h (account_id, request_id, owner, life)
     where p.account_id = h.account_id and p.request_id = h.request_id and p.owner = h.owner and p.life = h.life
     returning p.request_id as "requestId", 
       coalesce(p.wanted_at > clock_timestamp() - make_interval(secs => $8), false) as "isWanted"`,
    [
      hands.map(({ accountId }) => accountId),
      hands.map(({ requestId }) => requestId),
      hands.map(({ owner }) => owner),
      hands.map(({ life }) => life),
      lease.seconds,
      formatPostgresTimestamp(lease.dueAt),
      formatPostgresTimestamp(lease.dueBefore),
      lease.wantedSeconds,
    ],
  );
  return rows;
}

/** Forgets what has ended and is due. Returns how many that were. */
export async function deleteEnded(pool: pg.Pool, now: Instant, limit: number): Promise<number> {
  const { rowCount } = await pool.query(
    `with due as (
       select account_id, request_id from prompts where due_at <= $1 and ending is not null
       order by due_at limit $2 for update skip locked
     )
     delete from prompts p using due d where p.account_id = d.account_id and p.request_id = d.request_id`,
    [formatPostgresTimestamp(now), limit],
  );
  return rowCount ?? 0;
}

/** A prompt that nobody has gone on with. */
export interface LeftRow extends Hand {
  readonly askedBy: string;
  readonly opening: string | null;
}

/** Takes what is due, has not ended and nobody runs, to end it: a client who comes back for it meanwhile has to wait. */
export async function takeLeft(
  pool: pg.Pool,
  now: Instant,
  taker: { readonly owner: string; readonly leaseSeconds: number; readonly limit: number },
): Promise<LeftRow[]> {
  const { rows } = await pool.query<LeftRow>(
    `with due as (
       select account_id, request_id from prompts
       where due_at <= $1 and ending is null and (leased_until is null or leased_until < clock_timestamp())
       order by due_at limit $2 for update skip locked
     )
     update prompts p set owner = $3, life = p.life + 1,
       leased_until = clock_timestamp() + make_interval(secs => $4)
     from due d where p.account_id = d.account_id and p.request_id = d.request_id
     returning p.account_id as "accountId", p.request_id as "requestId", p.owner, p.life,
       p.asked_by as "askedBy", p.opening`,
    [formatPostgresTimestamp(now), taker.limit, taker.owner, taker.leaseSeconds],
  );
  return rows;
}
