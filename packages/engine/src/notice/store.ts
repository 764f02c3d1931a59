import type { AccountId } from "@bursar/contract/ids";
import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type { NoticeKind } from "@bursar/contract/notices";
import type { Queryable } from "../mail/store.ts";

export interface NoticeRecord {
  readonly id: string;
  readonly kind: NoticeKind;
  readonly title: string;
  readonly text: string;
  readonly details: Readonly<Record<string, unknown>> | null;
  readonly at: Instant;
  readonly readAt: Instant | null;
}

const COLUMNS = `notice_id as id, kind, title, text, details, at, read_at as "readAt"`;

export interface NewNotice extends Omit<NoticeRecord, "readAt"> {
  readonly accountId: AccountId;
  readonly isMailed: boolean;
}

/** False when the account has been told under this id before, even if the notice was deleted since: the primary key
 *  decides, however many tell it at once. */
export async function insertNotice(queryable: Queryable, notice: NewNotice): Promise<boolean> {
  const { rowCount } = await queryable.query(
    `insert into notices (account_id, notice_id, kind, title, text, details, at, mail_due)
     values ($1, $2, $3, $4, $5, $6::jsonb, $7, $8) on conflict (account_id, notice_id) do nothing`,
    [
      notice.accountId,
      notice.id,
      notice.kind,
      notice.title,
      notice.text,
      notice.details === null ? null : JSON.stringify(notice.details),
      formatPostgresTimestamp(notice.at),
      notice.isMailed,
    ],
  );
  return rowCount === 1;
}

/** Where a page ends: the last notice on it. */
export interface NoticePlace {
  readonly at: Instant;
  readonly id: string;
}

export interface NoticePage {
  readonly isUnreadOnly: boolean;
  readonly before: NoticePlace | null;
  readonly limit: number;
}

/** A page, newest first (those of one instant by id, backwards), and how many are unread in all: both of one moment, so
 *  that no count is shown beside a list from before it. */
export async function listNotices(
  queryable: Queryable,
  accountId: AccountId,
  { isUnreadOnly, before, limit }: NoticePage,
): Promise<{ notices: NoticeRecord[]; unread: number }> {
  type Row = { unread: number } & (NoticeRecord | { id: null });
  const { rows } = await queryable.query<Row>(
    `select unread, listed.*
     from (select count(*)::int4 as unread from notices ${UNREAD}) counted
     left join lateral (
       select ${COLUMNS} from notices
       where account_id = $1 and deleted_at is null and (not $2 or read_at is null)
         and ($3::timestamptz is null or (at, notice_id) < ($3::timestamptz, $4::text))
       order by at desc, notice_id desc limit $5
     ) listed on true
     order by at desc, id desc`,
    [accountId, isUnreadOnly, before && formatPostgresTimestamp(before.at), before?.id ?? null, limit],
  );
  const notices = rows.flatMap((row) => {
    const { unread: _, ...notice } = row;
    return notice.id === null ? [] : [notice];
  });
  return { notices, unread: rows[0]!.unread };
}

const UNREAD = "where account_id = $1 and deleted_at is null and read_at is null";

export async function countUnread(queryable: Queryable, accountId: AccountId): Promise<number> {
  const { rows } = await queryable.query<{ unread: number }>(
    `select count(*)::int4 as unread from notices ${UNREAD}`,
    [accountId],
  );
  return rows[0]!.unread;
}

/** The first reading stands; null when the account has no such notice. */
export async function markRead(
  queryable: Queryable,
  accountId: AccountId,
  id: string,
  now: Instant,
): Promise<NoticeRecord | null> {
  const { rows } = await queryable.query<NoticeRecord>(
    `update notices set read_at = coalesce(read_at, $3)
     where account_id = $1 and notice_id = $2 and deleted_at is null returning ${COLUMNS}`,
    [accountId, id, formatPostgresTimestamp(now)],
  );
  return rows[0] ?? null;
}

/** Returns how many were unread. */
export async function markAllRead(queryable: Queryable, accountId: AccountId, now: Instant): Promise<number> {
  const { rowCount } = await queryable.query(`update notices set read_at = $2 ${UNREAD}`, [
    accountId,
    formatPostgresTimestamp(now),
  ]);
  return rowCount ?? 0;
}

const EMPTIED = "title = '', text = '', details = null, mail_due = false";

/** False when the account has no such notice. */
export async function deleteNotice(
  queryable: Queryable,
  accountId: AccountId,
  id: string,
  now: Instant,
): Promise<boolean> {
  const { rowCount } = await queryable.query(
    `update notices set deleted_at = $3, ${EMPTIED}
     where account_id = $1 and notice_id = $2 and deleted_at is null`,
    [accountId, id, formatPostgresTimestamp(now)],
  );
  return rowCount === 1;
}

/** Returns how many it has deleted. */
export async function deleteRead(queryable: Queryable, accountId: AccountId, now: Instant): Promise<number> {
  const { rowCount } = await queryable.query(
    `update notices set deleted_at = $2, ${EMPTIED}
     where account_id = $1 and deleted_at is null and read_at is not null`,
    [accountId, formatPostgresTimestamp(now)],
  );
  return rowCount ?? 0;
}

export async function deleteAll(queryable: Queryable, accountId: AccountId, now: Instant): Promise<void> {
  await queryable.query(
    `update notices set deleted_at = $2, ${EMPTIED} where account_id = $1 and deleted_at is null`,
    [accountId, formatPostgresTimestamp(now)],
  );
}
