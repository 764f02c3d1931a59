import { describe, expect, test } from "vitest";
import { amount, counted, creditsText, isZero } from "./amount.ts";
import { createPaint } from "./paint.ts";
import { facts, table } from "./table.ts";
import { relativeTime } from "./time.ts";

const plain = createPaint(false);

test.each([
  ["0", "0"],
  ["999", "999"],
  ["1000", "1,000"],
  ["-1234567.654321", "-1,234,567.654321"],
  ["0.000001", "0.000001"],
])("the amount %s reads %s", (credits, shown) => {
  expect(amount(credits)).toBe(shown);
});

test("units agree with their numbers", () => {
  expect([creditsText("1"), creditsText("1.5"), counted(1, "request"), counted(1200, "request")]).toEqual([
    "1 credit",
    "1.5 credits",
    "1 request",
    "1,200 requests",
  ]);
});

test("zero is zero however it is written", () => {
  expect(["0", "0.0", "-0", "0.000001", "10"].map(isZero)).toEqual([true, true, true, false, false]);
});

describe("a time", () => {
  const now = Date.parse("2026-11-21T12:00:00Z");
  test.each([
    ["2026-11-21T12:00:00.400Z", "now"],
    ["2026-11-21T12:00:59Z", "in 59 s"],
    ["2026-11-21T12:09:59.990Z", "in 10 minutes"],
    ["2026-11-21T10:30:00Z", "90 minutes ago"],
    ["2026-11-21T13:59:59.950Z", "in 2 hours"],
    ["2026-12-21T11:59:58Z", "in 30 days"],
  ])("%s is %s", (iso, text) => {
    expect(relativeTime(iso, now)).toBe(text);
  });
});

describe("a table", () => {
  const rows = [
    { name: "a", credits: "1,000" },
    { name: "longer", credits: "0.5" },
  ];

  test("lines numbers up at their decimal point, whatever colours are in it", () => {
    const of = createPaint(true).red;
    const columns = [
      { title: "NAME", of: (row: { name: string }) => of(row.name) },
      { title: "CREDITS", align: "decimal", of: (row: { credits: string }) => row.credits },
    ] as const;
    const text = table(plain, columns, rows, "none")
      .replaceAll("\u001B[31m", "")
      .replaceAll("\u001B[39m", "");
    expect(text).toBe("NAME    CREDITS\na       1,000\nlonger      0.5");
  });

  test("without rows says so", () => {
    expect(table(plain, [{ title: "NAME", of: () => "" }], [], "Nothing.")).toBe("Nothing.");
  });
});

test("facts that are not there are left out", () => {
  expect(
    facts(plain, [
      ["a", "1"],
      ["long", null],
      ["bc", "2"],
    ]),
  ).toBe("a   1\nbc  2");
});
