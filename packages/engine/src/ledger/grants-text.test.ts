import type { GrantId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { OpenGrant } from "./account.ts";
import { grantsFromText, grantsToText, withoutEnds } from "./grants-text.ts";
import { DEFAULT_PRIORITY, type GrantSource } from "./kinds.ts";

const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:@/+-]{0,40}$/);
const instant = fc.integer({
  min: 0,
  max: Number.MAX_SAFE_INTEGER,
}) as fc.Arbitrary<Instant>;
const amount = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });

const ended = fc.constant(true as const);

const terms = {
  id: name as fc.Arbitrary<GrantId>,
  source: fc.constantFrom(...(Object.keys(DEFAULT_PRIORITY) as GrantSource[])),
  remaining: amount,
  held: amount,
  priority: fc.integer({ min: 0, max: 32_767 }),
  expiresAt: fc.option(instant),
  allocatedAt: instant,
  scope: fc.option(fc.array(name, { minLength: 1, maxLength: 4 })),
};

const grant: fc.Arbitrary<OpenGrant> = fc.oneof(fc.record(terms), fc.record({ ...terms, ended }));

it("grants read back from their text are the same grants", () => {
  fc.assert(
    fc.property(fc.array(grant, { maxLength: 6 }), (grants) => {
      expect(grantsFromText(grantsToText(grants))).toEqual(grants);
    }),
  );
});

it("no grants are an empty text", () => {
  expect(grantsToText([])).toBe("");
  expect(grantsFromText("")).toEqual([]);
});

it("what marks an end is no feature's name: without it, the same grants that have not ended", () => {
  const named = fc.record({ ...terms, scope: fc.constantFrom(["ended"], ["ended-work", "chat"], null) });
  fc.assert(
    fc.property(fc.array(fc.tuple(named, fc.boolean()), { maxLength: 4 }), (grants) => {
      const open = grants.map(([one]) => one);
      const marked = grants.map(([one, isEnded]): OpenGrant => (isEnded ? { ...one, ended: true } : one));
      expect(withoutEnds(grantsToText(marked))).toBe(grantsToText(open));
    }),
  );
});
