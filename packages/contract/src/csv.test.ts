import { expect, test } from "vitest";
import { csvLine } from "./csv.ts";

test.each<[string, (string | number | null)[], string]>([
  ["plain cells", ["a", 1, null, "2.5"], "a,1,,2.5"],
  ["commas, quotes and line ends", ['a,"b"\r\nc', "d"], '"a,""b""\r\nc",d'],
  ["spaces at the ends", [" a "], '" a "'],
  ["negative numbers", ["-1.5", -2], "-1.5,-2"],
])("%s are written so that every reader gets them back", (_, cells, line) => {
  expect(csvLine(cells)).toBe(`${line}\r\n`);
});

test.each(["=1+1", "+A1", "-A1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1+1", "\u200B=1", "|cmd", "%x"])(
  "%j is not taken for a formula",
  (text) => {
    expect(csvLine([text]).replace(/^"/, "")).toMatch(/^'/);
  },
);
