import type { AccountId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import { describe, expect, it, test } from "vitest";
import {
  ACTIONS,
  capBelowUse,
  decideAcceptance,
  type Invite,
  mayDecideAbout,
  mayDo,
  tightestCap,
} from "./decide.ts";

const at = (seconds: number) => (seconds * 1_000_000) as Instant;
const invite: Invite = {
  ...{ id: "inv_1", organizationId: "org_1", email: "ada@example.org", role: "member" },
  ...{ createdAt: at(0), expiresAt: at(100), acceptedAt: null, acceptedBy: null, revokedAt: null },
};
const ada = { personId: "user_a", accountId: "acct_a" as AccountId, email: "Ada@example.org" };
const bob = { personId: "user_b", accountId: "acct_b" as AccountId, email: "bob@example.org" };

describe("an invite", () => {
  test.each([
    ["accept", invite, ada, 99],
    ["invite_expired", invite, ada, 100],
    ["invite_for_another", invite, bob, 1],
    ["invite_used", { ...invite, revokedAt: at(5) }, ada, 10],
    ["invite_used", { ...invite, acceptedAt: at(5), acceptedBy: "user_c" }, ada, 10],
    ["repeated", { ...invite, acceptedAt: at(5), acceptedBy: "user_a" }, ada, 1000],
    ["invite_for_another", { ...invite, acceptedAt: at(5), acceptedBy: "user_a" }, bob, 1000],
  ] as const)("%s", (decision, given, person, seconds) => {
    expect(decideAcceptance(given, person, at(seconds))).toBe(decision);
  });
});

it("an owner may do everything, a member only see and ask", () => {
  for (const action of Object.keys(ACTIONS) as (keyof typeof ACTIONS)[]) {
    expect(mayDo("owner", action)).toBe(true);
    expect(mayDo("member", action)).toBe(action === "see" || action === "ask");
  }
  expect(mayDecideAbout("admin", "member")).toBe(true);
  expect(mayDecideAbout("admin", "admin")).toBe(false);
  expect(mayDecideAbout("admin", "owner")).toBe(false);
  expect(mayDecideAbout("member", "member")).toBe(false);
});

describe("caps", () => {
  const used = { day: 5n, month: 50n, total: 500n };
  const none = { day: null, month: null, total: null };

  it("below what is used are a mistake, but 0 stops at once, and the use itself is enough", () => {
    expect(capBelowUse({ day: 4n }, used)).toEqual({ window: "day", used: 5n });
    expect(capBelowUse({ day: 9n, total: 499n }, used)).toEqual({ window: "total", used: 500n });
    expect(capBelowUse({ day: 0n, month: 50n, total: null }, used)).toBeNull();
  });

  it("stand in the way where least is left", () => {
    expect(tightestCap(none, used)).toBeNull();
    expect(tightestCap({ day: 100n, month: 60n, total: null }, used)).toBe("month");
    expect(tightestCap({ day: 0n, month: 60n, total: 400n }, used)).toBe("total");
  });
});
