import type { AccountId, GrantId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Account, OpenGrant } from "./account.ts";
import { AccountColumns } from "./account-columns.ts";
import { grantsToText } from "./grants-text.ts";

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

it("every account read from its slot is the account that was written there last", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat({ max: 600 }), account), { maxLength: 20 }), (written) => {
      const columns = new AccountColumns();
      for (const [slot, one] of written) columns.write(slot, one, grantsToText(one.grants));
      for (const [slot, one] of new Map(written)) expect(columns.read(slot, one.id)).toEqual(one);
    }),
  );
});
