import { describe, expect, it } from "vitest";
import {
  ID_PATTERN,
  newAccountId,
  newGrantId,
  newHoldId,
  newKeyId,
  newOperationId,
  newRequestId,
} from "./ids.ts";

describe("ids", () => {
  it.each([
    ["acct_", newAccountId],
    ["grant_", newGrantId],
    ["hold_", newHoldId],
    ["op_", newOperationId],
    ["key_", newKeyId],
    ["req_", newRequestId],
  ])("%s… are valid, and none comes twice", (prefix, make) => {
    const ids = Array.from({ length: 2000 }, () => make());
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) {
      expect(id.startsWith(prefix)).toBe(true);
      expect(id).toMatch(ID_PATTERN);
    }
  });

  it.each(["", " ", "a b", "a\tb", "a\n", "-a", "_a", "a;b", "a,b", 'a"b', "a\\b", "é", "a".repeat(129)])(
    "%j is no id: it would break the ledger's own separators",
    (text) => {
      expect(text).not.toMatch(ID_PATTERN);
    },
  );

  it.each(["a", "A-1", "user@example.com", "team/1", "x".repeat(128), "0.1:2+3"])("%j is one", (text) => {
    expect(text).toMatch(ID_PATTERN);
  });
});
