import type { GrantId } from "@bursar/contract/ids";
import { expect, it } from "vitest";
import { allocate, type Draws, proportion, type TakenRefund } from "./taken.ts";

const payment = { grantId: "grant_p" as GrantId, credits: 1000n, amount: 200 };
const refund = (id: string, draws: Draws, failed = false): TakenRefund => ({
  ...{ id, failed, draws },
  credits: draws.reduce((sum, [, part]) => sum + part, 0n),
});
const first = refund("re_1", [["grant_p", 1000n]], true);

it.each<[string, Parameters<typeof allocate>[1], bigint, Draws]>([
  ["all of it", { refunds: [], disputes: [] }, 1000n, [["grant_p", 1000n]]],
  [
    "what is left",
    { refunds: [refund("re_1", [["grant_p", 400n]])], disputes: [] },
    1000n,
    [["grant_p", 600n]],
  ],
  ["nothing twice", { refunds: [refund("re_1", [["grant_p", 1000n]])], disputes: [] }, 5n, []],
  [
    "what was given again after a refund that failed",
    { refunds: [first], disputes: [] },
    700n,
    [["grant_refund_failed_re_1", 700n]],
  ],
  [
    "both, where the first was a part",
    { refunds: [refund("re_1", [["grant_p", 400n]], true)], disputes: [] },
    1000n,
    [
      ["grant_p", 600n],
      ["grant_refund_failed_re_1", 400n],
    ],
  ],
  [
    "what was given again after a lost dispute was won on appeal",
    { refunds: [], disputes: [[["grant_p", 1000n]]], won: [["grant_dispute_won_dp_1", 1000n]] },
    700n,
    [["grant_dispute_won_dp_1", 700n]],
  ],
  ["less a lost dispute", { refunds: [], disputes: [[["grant_p", 300n]]] }, 1000n, [["grant_p", 700n]]],
])("takes %s", (_, taken, amount, draws) => {
  expect(allocate(payment, taken, amount)).toEqual(draws);
});

it("takes what is held for it before anything else", () => {
  const taken = { refunds: [refund("re_1", [["grant_p", 400n]], true)], disputes: [] };
  const held: Draws = [
    ["grant_p", 100n],
    ["grant_refund_failed_re_1", 400n],
  ];
  expect(allocate(payment, taken, 500n, held)).toEqual(held);
  expect(new Map(allocate(payment, taken, 1000n, held))).toEqual(
    new Map([
      ["grant_p", 600n],
      ["grant_refund_failed_re_1", 400n],
    ]),
  );
});

it("is in proportion to the money, rounded down, and whole for all of it", () => {
  expect(proportion(payment, 33)).toBe(165n);
  expect(proportion({ credits: 1000n, amount: 300 }, 100)).toBe(333n);
  expect(proportion(payment, 200)).toBe(1000n);
  expect(proportion(payment, 250)).toBe(1000n);
});
