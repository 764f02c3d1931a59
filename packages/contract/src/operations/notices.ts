import { z } from "zod";
import { notice } from "../notices.ts";
import { operation } from "../operation.ts";
import { cursor, id, listLimit } from "../shapes.ts";

const unread = z.int().describe("How many of the account's notices are unread");
const ofAccount = z.strictObject({ accountId: id.optional() });
const one = z.object({ id });

export const listNotices = operation({
  name: "listNotices",
  method: "get",
  path: "/v1/notices",
  access: "account",
  summary: "What the account has been told, newest first.",
  query: z.strictObject({
    accountId: id.optional(),
    state: z.enum(["all", "unread"]).default("all"),
    limit: listLimit(200, 50),
    cursor: cursor.optional(),
  }),
  status: 200,
  answer: z.object({ notices: z.array(notice), unread, nextCursor: z.string().nullable() }),
  errors: ["account_unknown"],
});

export const readNotice = operation({
  name: "readNotice",
  method: "post",
  path: "/v1/notices/{id}/read",
  access: "account",
  summary: "Mark a notice as read. The first time stands.",
  params: one,
  body: ofAccount.optional(),
  status: 200,
  answer: notice,
  errors: ["notice_unknown"],
});

export const readAllNotices = operation({
  name: "readAllNotices",
  method: "post",
  path: "/v1/notices/read-all",
  access: "account",
  summary: "Mark all notices as read.",
  body: ofAccount.optional(),
  status: 200,
  answer: z.object({ read: z.int().describe("How many were unread"), unread }),
  errors: [],
});

export const deleteNotice = operation({
  name: "deleteNotice",
  method: "delete",
  path: "/v1/notices/{id}",
  access: "account",
  summary: "Delete a notice. What has been told is not told again.",
  params: one,
  query: ofAccount,
  status: 200,
  answer: z.object({ id: z.string(), deleted: z.literal(true) }),
  errors: ["notice_unknown"],
});

export const deleteReadNotices = operation({
  name: "deleteReadNotices",
  method: "delete",
  path: "/v1/notices",
  access: "account",
  summary: "Delete all notices that have been read.",
  query: ofAccount,
  status: 200,
  answer: z.object({ deleted: z.int() }),
  errors: [],
});
