import { expect, test } from "vitest";
import { createPaint } from "../output/paint.ts";
import { noticesText } from "./notices.ts";

const look = { paint: createPaint(false), nowMilliseconds: Date.parse("2026-11-21T12:00:00Z") };
const told = {
  id: "credit_warning:1f",
  kind: "credit_warning",
  title: "Credits are running low",
  text: "The balance is 12 credits.",
  details: null,
  at: "2026-11-20T12:00:00.000Z",
  readAt: null,
} as const;

test("what is unread is marked, and the count and the way on are shown", () => {
  const text = noticesText({ notices: [told], unread: 3, nextCursor: "before:1:x" }, look);
  expect(text).toBe(
    [
      "* Credits are running low",
      "  The balance is 12 credits.",
      "  credit_warning, 24 hours ago (2026-11-20 12:00 UTC), credit_warning:1f",
      "",
      "3 unread notices",
      "Older: --cursor before:1:x",
    ].join("\n"),
  );
});

test("what a notice says cannot steer the terminal", () => {
  const notice = { ...told, readAt: told.at, title: "\u001B[31mred", text: "a\u0007b" };
  const text = noticesText({ notices: [notice], unread: 0, nextCursor: null }, look);
  expect(text).toContain("  [31mred\n  ab\n");
});
