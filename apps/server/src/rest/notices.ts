import type { Instant } from "@bursar/contract/instant";
import type { Notice } from "@bursar/contract/notices";
import { iso } from "@bursar/contract/shapes";
import { findAccount } from "@bursar/engine/account/store";
import * as store from "@bursar/engine/notice/store";
import type { Handler } from "./context.ts";
import { type Problem, refused } from "./problem.ts";

export const listNotices: Handler<"listNotices"> = async ({ deps, accountId, query }) => {
  const before = query.cursor === undefined ? null : placeFrom(query.cursor);
  if (before === "malformed")
    return {
      problem: "invalid_request",
      message: "must be a nextCursor from an earlier answer",
      param: "cursor",
    };
  const page = { isUnreadOnly: query.state === "unread", before, limit: query.limit + 1 };
  const { notices: found, unread } = await store.listNotices(deps.pool, accountId, page);
  if (found.length === 0 && (await findAccount(deps.pool, accountId)) === null)
    return refused({ kind: "account_unknown", accountId });
  const notices = found.slice(0, query.limit);
  const last = notices.at(-1);
  const nextCursor = found.length > query.limit && last !== undefined ? cursorOf(last) : null;
  return { answer: { notices: notices.map(noticeAnswer), unread, nextCursor } };
};

function cursorOf({ at, id }: store.NoticePlace): string {
  return `before:${at}:${id}`;
}

function placeFrom(cursor: string): store.NoticePlace | "malformed" {
  const match = /^before:(\d{1,16}):(.+)$/.exec(cursor);
  return match === null ? "malformed" : { at: Number(match[1]) as Instant, id: match[2]! };
}

export function noticeAnswer(found: store.NoticeRecord): Notice {
  const { details, at, readAt, ...rest } = found;
  return { ...rest, details: details as Notice["details"], at: iso(at)!, readAt: iso(readAt) };
}

export const readNotice: Handler<"readNotice"> = async ({ deps, accountId, params }) => {
  const found = await store.markRead(deps.pool, accountId, params.id, deps.clock.now());
  return found === null ? noticeUnknown(params.id) : { answer: noticeAnswer(found) };
};

export const readAllNotices: Handler<"readAllNotices"> = async ({ deps, accountId }) => {
  const read = await store.markAllRead(deps.pool, accountId, deps.clock.now());
  return { answer: { read, unread: await store.countUnread(deps.pool, accountId) } };
};

export const deleteNotice: Handler<"deleteNotice"> = async ({ deps, accountId, params }) => {
  const isDeleted = await store.deleteNotice(deps.pool, accountId, params.id, deps.clock.now());
  return isDeleted ? { answer: { id: params.id, deleted: true } } : noticeUnknown(params.id);
};

export const deleteReadNotices: Handler<"deleteReadNotices"> = async ({ deps, accountId }) => ({
  answer: { deleted: await store.deleteRead(deps.pool, accountId, deps.clock.now()) },
});

function noticeUnknown(id: string): Problem {
  return { problem: "notice_unknown", message: `The account has no notice ${id}`, param: "id" };
}
