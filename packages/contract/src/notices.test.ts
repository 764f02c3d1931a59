import { expect, test } from "vitest";
import { NOTICE_KINDS, notice, noticeEvent } from "./notices.ts";

test("every kind passes the schema that clients check with, and goes into an event as it is", () => {
  for (const kind of NOTICE_KINDS) {
    const told = {
      id: "n",
      kind,
      title: "t",
      text: "x",
      details: null,
      at: "2026-01-01T00:00:00.000Z",
      readAt: null,
    };
    expect(noticeEvent("acct_1", notice.parse(told))).toEqual({
      type: "notice",
      accountId: "acct_1",
      notice: told,
    });
  }
});
