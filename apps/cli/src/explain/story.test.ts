import type { Receipt } from "@bursar/contract/operations/history";
import { describe, expect, test } from "vitest";
import { createPaint } from "../output/paint.ts";
import { storyOf } from "./story.ts";

const look = { paint: createPaint(false), nowMilliseconds: Date.parse("2026-11-21T12:00:00Z") };

const entry = (seq: number, kind: string, amount: string, available: string, held = "0", owed = "0") => ({
  seq,
  kind,
  amount,
  availableAfter: available,
  heldAfter: held,
  owedAfter: owed,
  reference: "hold_1",
  feature: null,
  at: "2026-11-21T11:58:00Z",
  by: "account:key_1",
  note: null,
  hash: `${seq}`.repeat(64),
});

const SETTLED: Receipt = {
  id: "hold_1",
  accountId: "acct_demo",
  requestId: "req_1",
  decision: "allow",
  reason: null,
  operation: "hold",
  amount: "1",
  charged: "0.000415",
  feature: "chat",
  at: "2026-11-21T11:58:00Z",
  by: "account:key_1",
  draws: [{ grantId: "grant_1", source: "promo", amount: "0.000415" }],
  price: {
    version: 3,
    model: "small",
    inputTokens: 1200,
    cachedInputTokens: 200,
    outputTokens: 300,
    inputPerMillion: "0.15",
    cachedInputPerMillion: "0.075",
    outputPerMillion: "0.6",
    marginPercent: "20.1",
  },
  note: null,
  policy: {},
  metadata: null,
  entries: [
    entry(5, "hold", "1", "9", "1"),
    entry(6, "settle", "0.000415", "9", "0.999585"),
    entry(7, "release", "0.999585", "9.999585"),
  ],
};

const DENIED: Receipt = {
  ...SETTLED,
  decision: "deny",
  reason: "insufficient_credits",
  operation: "spend",
  amount: "1234.5",
  charged: "0",
  draws: [],
  price: null,
  policy: { available: "1000", missing: "234.5" },
  entries: [],
};

const BEFORE = { availableAfter: "10", heldAfter: "0", owedAfter: "0" };

describe("an allowed request", () => {
  const story = storyOf(SETTLED, BEFORE, look);

  test("is told from the question to the proof", () => {
    expect(story).toMatch(/^Allowed: hold of 1 credit, settled at 0.000415 credits\./);
    expect(story).toMatch(/when +2 minutes ago \(2026-11-21 11:58 UTC\)/);
    expect(story).toMatch(/grant_1 +promo +0.000415/);
    expect(story).toContain("available 10 → 9.999585");
    expect(story).toContain("7".repeat(64));
  });

  test("shows its arithmetic, exact until the one rounding", () => {
    expect(story).toContain("version 3 of the price book, model small");
    expect(story).toMatch(/1,000 input +0.15 +0.00015\n/);
    expect(story).toMatch(/200 cached +0.075 +0.000015\n/);
    expect(story).toMatch(/300 output +0.6 +0.00018\n/);
    // (0.00015 + 0.000015 + 0.00018) * 1.201
    expect(story).toContain(
      "together, with 20.1% margin: 0.000415 (0.000414345, rounded up to a micro-credit); charged 0.000415 credits",
    );
  });

  test("that is still open says what it would cost at most", () => {
    const open = { ...SETTLED, charged: "0", entries: SETTLED.entries.slice(0, 1) };
    expect(storyOf(open, null, look)).toMatch(/^Allowed: hold of 1 credit, still open\./);
    expect(storyOf(open, null, look)).toContain("micro-credit), at most");
  });

  test("shows the debt that it left", () => {
    const overrun = {
      ...SETTLED,
      entries: [entry(5, "hold", "1", "0", "1"), entry(6, "overrun", "2", "0", "0", "2")],
    };
    expect(storyOf(overrun, BEFORE, look)).toContain("owed      0 → 2");
    expect(storyOf(overrun, BEFORE, look)).toMatch(/nobody yet +debt +2/);
  });
});

describe("a denied request", () => {
  test.each([
    ["insufficient_credits", { available: "1000", missing: "234.5" }, "1,000 were available, 234.5 too few"],
    ["in_debt", { owed: "3" }, "the account owed 3"],
    [
      "cap_exceeded",
      { cap: "key_1", limit: "50", window: "day", used: "49" },
      "the cap of key_1 is 50 (day), and 49 were used",
    ],
    [
      "parent_exhausted",
      { parent: "run_1", left: "2" },
      "the hold run_1, from which it was to draw, had 2 left",
    ],
    ["account_frozen", {}, "the account was frozen"],
    ["something_new", {}, "because something_new"],
  ])("for %s says why", (reason, policy, words) => {
    expect(storyOf({ ...DENIED, reason, policy }, null, look)).toContain(words);
  });

  test("says that the account is as it was", () => {
    expect(storyOf(DENIED, null, look)).toContain("A refusal writes no entry");
  });
});
