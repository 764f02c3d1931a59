import type { AccountId, GrantId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Account, OpenGrant } from "./account.ts";
import { accountFromText, accountToText } from "./account-text.ts";

const amount = fc.bigInt({ min: 0n, max: 10n ** 18n });
const grant: fc.Arbitrary<OpenGrant> = fc.record({
  id: fc.stringMatching(/^grant_[a-z0-9]{1,12}$/).map((id) => id as GrantId),
  source: fc.constantFrom("free" as const, "purchase" as const, "admin" as const),
  remaining: amount,
  held: amount,
  priority: fc.integer({ min: 0, max: 100 }),
  expiresAt: fc.option(fc.integer({ min: 0, max: 2 ** 52 }).map((at) => at as Instant)),
  allocatedAt: fc.integer({ min: 0, max: 2 ** 52 }).map((at) => at as Instant),
  scope: fc.option(fc.array(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1, maxLength: 3 })),
});
const account: fc.Arbitrary<Account> = fc.record({
  ...{
    id: fc.constant("acct_a" as AccountId),
    available: amount,
    held: amount,
    owed: amount,
    issued: amount,
  },
  ...{ spent: amount, expired: amount, revoked: amount, frozen: fc.boolean(), seq: amount },
  grants: fc.array(grant, { maxLength: 4 }),
  hash: fc.stringMatching(/^[0-9a-f]{64}$/),
  alertBelow: fc.option(amount),
  topupBelow: fc.option(amount),
});

it("an account read from its text is the account that was written", () => {
  fc.assert(
    fc.property(account, (one) => {
      expect(accountFromText(one.id, accountToText(one))).toEqual(one);
    }),
  );
});
