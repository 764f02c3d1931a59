import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type pg from "pg";
import type { AfterFailure } from "./decide.ts";
import type { MailMessage } from "./mail.ts";

/** The pool, or a connection with the caller's transaction on it. */
export type Queryable = Pick<pg.Pool | pg.PoolClient, "query">;

/** Takes a mail in, due at once. An id that is known already changes nothing. */
export async function insertMail(queryable: Queryable, mail: MailMessage, now: Instant): Promise<void> {
  await queryable.query(
    `insert into mails (mail_id, recipient, subject, body_text, body_html, created_at, due_at, is_farewell)
     values ($1, $2, $3, $4, $5, $6, $6, $7) on conflict (mail_id) do nothing`,
    [
      ...[mail.id, mail.to, mail.subject, mail.text, mail.html ?? null],
      ...[formatPostgresTimestamp(now), mail.isFarewell === true],
    ],
  );
}

/** Those that have gone, too: an address is kept with them. A farewell says that it was done, and goes all the same. */
export async function deleteMailsTo(queryable: Queryable, address: string): Promise<void> {
  await queryable.query("delete from mails where recipient = $1 and not is_farewell", [address]);
}

export interface TakenMail extends MailMessage {
  /** With the one that begins now. */
  readonly attempts: number;
  readonly createdAt: Instant;
}

type Row = Omit<TakenMail, "html"> & { html: string | null };

/** Takes the mails that are longest due, for one attempt each. Whoever takes a mail is alone with it until the lease
 *  ends: rows that another process is taking are passed over, and those it has taken are not due. */
export async function takeDueMails(
  pool: pg.Pool,
  { now, limit, leaseSeconds }: { now: Instant; limit: number; leaseSeconds: number },
): Promise<TakenMail[]> {
  const { rows } = await pool.query<Row>(
    `with due as (
       select mail_id from mails
       where due_at <= $1 and (leased_until is null or leased_until < clock_timestamp())
       order by due_at limit $2 for update skip locked
     )
     update mails m set attempts = attempts + 1, leased_until = clock_timestamp() + make_interval(secs => $3)
     from due where m.mail_id = due.mail_id
     returning m.mail_id as id, m.recipient as "to", m.subject, m.body_text as text, m.body_html as html,
       m.attempts, m.created_at as "createdAt"`,
    [formatPostgresTimestamp(now), limit, leaseSeconds],
  );
  return rows.map(({ html, ...mail }) => (html === null ? mail : { ...mail, html }));
}

/** The mail has gone; its text goes as well, and of a farewell all. */
export async function markSent(pool: pg.Pool, id: string, now: Instant): Promise<void> {
  await pool.query(
    `with farewell as (delete from mails where mail_id = $1 and due_at is not null and is_farewell)
     update mails set sent_at = $2, due_at = null, leased_until = null, last_error = null,
       body_text = null, body_html = null
     where mail_id = $1 and due_at is not null and not is_farewell`,
    [id, formatPostgresTimestamp(now)],
  );
}

export interface Failure {
  readonly next: AfterFailure;
  readonly reason: string;
  readonly now: Instant;
}

/** Puts the mail off, or ends it and empties it; of a farewell that has ended nothing stays. */
export async function markFailed(pool: pg.Pool, id: string, { next, reason, now }: Failure): Promise<void> {
  const isOver = next.kind === "given_up";
  await pool.query(
    `with farewell as (delete from mails where mail_id = $1 and due_at is not null and is_farewell and $5)
     update mails set due_at = $2, given_up_at = $3, leased_until = null, last_error = $4,
       body_text = case when $5 then null else body_text end,
       body_html = case when $5 then null else body_html end
     where mail_id = $1 and due_at is not null and not (is_farewell and $5)`,
    [
      id,
      isOver ? null : formatPostgresTimestamp(next.dueAt),
      isOver ? formatPostgresTimestamp(now) : null,
      reason.slice(0, 500),
      isOver,
    ],
  );
}

/** Forgets mails that ended and are older than this. */
export async function forgetMails(pool: pg.Pool, before: Instant): Promise<void> {
  await pool.query("delete from mails where due_at is null and created_at < $1", [
    formatPostgresTimestamp(before),
  ]);
}

export interface MailCounts {
  readonly waiting: number;
  readonly sent: number;
  readonly givenUp: number;
}

export async function countMails(pool: pg.Pool): Promise<MailCounts> {
  const { rows } = await pool.query<MailCounts>(
    `select count(*) filter (where due_at is not null)::int4 as waiting,
       count(*) filter (where sent_at is not null)::int4 as sent,
       count(*) filter (where given_up_at is not null)::int4 as "givenUp"
     from mails`,
  );
  return rows[0]!;
}
